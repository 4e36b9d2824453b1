import { htmlReport, interval, parseFleet, simulate } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

describe('a median', () => {
  it('has the confidence interval of order statistics', () => {
    // Of ten samples the second and the ninth (97.9 %), of six the least and the greatest (96.9 %); fewer tell nothing.
    const samples = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
    expect(interval(samples(10))).toEqual({ median: 5.5, low: 2, high: 9 });
    expect(interval(samples(6))).toEqual({ median: 3.5, low: 1, high: 6 });
    expect(interval(samples(3))).toEqual({ median: 2, low: 1, high: 3 });
    expect(interval([7])).toEqual({ median: 7, low: 7, high: 7 });
  });
});

describe('a report', () => {
  const fleet = parseFleet(`
    { name: test, title: "A <b>fleet</b>", workloads: [{ name: w, rate: 5 /s, size: 1 kB, deadline: 1 s }],
      devices: [{ class: phone, count: 2, link: wifi, battery: {} }] }`);
  const outcomes = ['cost', 'random'].map((strategy) =>
    simulate({ fleet, strategy, seed: 1, hours: 0.02, startHour: 0 }),
  );
  const page = htmlReport(fleet, outcomes, 'A caveat.');

  it('stands alone and says what it is about', () => {
    expect(page).toContain('A caveat.');
    expect(page).toContain('2 devices');
    expect(page).not.toMatch(/<script|https?:\/\/|<link/);
  });

  it('shows what was written as text', () => {
    expect(page).toContain('A &#60;b&#62;fleet');
    expect(page).not.toContain('<b>fleet');
  });

  it('has a row for each strategy and its curves, all of them of numbers', () => {
    for (const { strategy } of outcomes) expect(page).toContain(`<th scope="row">${strategy}</th>`);
    expect(page.match(/<svg/g)?.length).toBe(5);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('has round numbers on its axes, and minutes where the run is short', () => {
    const numbers = [...page.matchAll(/<text [^>]*>([\d.,]+)<\/text>/g)].map(([, text = '']) => text);
    expect(numbers.length).toBeGreaterThan(30);
    for (const number of numbers) expect(number.replace(/\D|^[0.]+|0+$/g, '')).toMatch(/^\d{0,3}$/);
    expect(page).toContain('>minutes<');
  });

  it('has columns and a plot of cameras when the fleet has some, and else none', () => {
    const watched = parseFleet(`
      { name: test, title: t, devices: [{ class: pi-5, count: 1, link: wifi }],
        cameras: [{ name: door, count: 2, fps: 2, stream: { width: 640, height: 360, fps: 10 } }] }`);
    const outcome = simulate({ fleet: watched, strategy: 'cost', seed: 1, hours: 0.1, startHour: 0 });
    const withCameras = htmlReport(watched, [outcome], '');
    expect(withCameras).toMatch(/<th scope="col">watched<\/th>.*<th scope="col">moves<\/th>/);
    expect(withCameras).toMatch(/Cameras under cost: .*<svg.*keyframes/s);
    expect(withCameras).not.toMatch(/NaN|Infinity|undefined/);
    expect(page).not.toMatch(/watched|Cameras under/);
  });
});
