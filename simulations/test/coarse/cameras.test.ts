import { parseFleet, simulate } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

const nothing = '{ name: none, burst: { every: 24 h, count: 1 }, size: 1 B }';
const small = '{ width: 640, height: 360, fps: 10 }';
const large = '{ width: 1920, height: 1080, fps: 25 }';

function aFleet(devices: string, cameras: string, workload = nothing) {
  return parseFleet(
    `{ name: test, title: test, devices: [${devices}], workloads: [${workload}], cameras: [${cameras}] }`,
  );
}

function run(fleet: ReturnType<typeof parseFleet>, hours: number, { strategy = 'cost', startHour = 18 } = {}) {
  const outcome = simulate({ fleet, strategy, seed: 1, hours, startHour });
  return { ...outcome, cameras: outcome.cameras ?? expect.fail('no cameras') };
}

const oneBoard = '{ class: pi-4, count: 1, link: ethernet }';
const door = `{ name: door, count: 1, fps: 4, stream: ${small} }`;

describe('cameras of a coarse world', () => {
  it('are watched, at the rate that is asked for, once their source is open', () => {
    const { cameras } = run(aFleet(oneBoard, door), 0.5);
    expect(cameras).toMatchObject({ count: 1, moves: 0, gaps: { count: 0 }, levels: { full: 1 } });
    expect(cameras.watched).toBeGreaterThan(0.998);
    expect(cameras.watched).toBeLessThan(1);
    expect(cameras.analysed).toBeCloseTo(cameras.watched, 6);
  });

  it('take their part of a device: its tasks take longer by that, and energy is what both draw', () => {
    const tasks = '{ name: pictures, rate: 12 /min, size: 1 B }';
    const fleet = aFleet(oneBoard, `{ name: door, count: 1, fps: 3.5, stream: ${small} }`, tasks);
    const both = run(fleet, 2);
    const alone = simulate({ fleet: { ...fleet, cameras: [] }, strategy: 'cost', seed: 1, hours: 2, startHour: 18 });
    // A frame takes 141 ms and 3 besides: 0.5 of a board.
    const part = (3.5 * (142 + 3)) / 1_000;
    expect(both.latencyMs.p50 / alone.latencyMs.p50).toBeGreaterThan(0.95 / (1 - part));
    expect(both.latencyMs.p50 / alone.latencyMs.p50).toBeLessThan(1.1 / (1 - part));
    const [busy, before] = [both, alone].map(({ devices }) => devices[0]?.busy ?? 0) as [number, number];
    expect(busy - before).toBeCloseTo(part, 1);
    const watts = both.cameras.energyJ / 7_200;
    expect(watts).toBeCloseTo(3.4 * 3.5 * 0.142, 1);
    const shownWatts = both.samples.reduce((sum, { workWatts }) => sum + workWatts, 0) / (both.samples.length - 1);
    expect(shownWatts).toBeCloseTo(watts + (both.joulesPerTask * both.finished) / 7_200, 2);
    expect(both.devices[0]?.workJ).toBeCloseTo((alone.devices[0]?.workJ ?? 0) + both.cameras.energyJ, -2);
  });

  it('draw batteries down', () => {
    const devices = '{ class: pi-4, count: 1, link: wifi, battery: { level: 90 } }';
    const levelOf = (cameras: string) => run(aFleet(devices, cameras), 1).devices[0]?.levelPct ?? 0;
    // 4 frames a second of 0.48 J, out of 37 Wh.
    const [idle, busy] = [levelOf(`${door.slice(0, -1)}, labels: { no: device } }`), levelOf(door)];
    expect(idle - busy).toBeCloseTo((100 * 4 * 3.4 * 0.142) / 37, 0);
  });

  it('leave what there is no time for, and are decoded at lower levels when there is no room for more', () => {
    const late = run(aFleet('{ class: pi-3b-plus, count: 1, link: wifi }', door), 0.5).cameras;
    expect(late.analysed).toBeGreaterThan(0.3);
    expect(late.analysed).toBeLessThan(0.6);
    const huge = '{ width: 3840, height: 2160, fps: 30 }';
    const many = `{ name: many, count: 20, fps: 1, stream: ${huge}, substream: ${small} }`;
    const crowded = run(aFleet('{ class: n100, count: 1, link: wifi }', many), 0.5).cameras;
    expect(crowded.levels.full).toBeLessThan(0.3);
    expect(crowded.levels.substream).toBeGreaterThan(0.6);
    expect(crowded.watched).toBeGreaterThan(0.95);
  });

  it('move within the time that finding out takes when their devices die, and work that was there is done elsewhere', () => {
    const dying = '{ class: pi-5, count: 3, link: ethernet, fails: { every: 20 min, for: 3 min } }';
    const cameras = `{ name: door, count: 4, fps: 5, stream: ${small} }`;
    const tasks = '{ name: pictures, rate: 20 /s, size: 60 kB, deadline: 30 s }';
    const outcome = run(aFleet(dying, cameras, tasks), 1);
    expect(outcome.cameras.moves).toBeGreaterThan(4);
    expect(outcome.cameras.watched).toBeGreaterThan(0.95);
    // Ten seconds of silence, 2.5 until it is looked for, some for loading and opening.
    expect(outcome.cameras.gaps.count).toBeGreaterThan(4);
    expect(outcome.cameras.gaps.longestMs).toBeGreaterThan(10_000);
    expect(outcome.cameras.gaps.longestMs).toBeLessThan(20_000);
    expect(outcome.lost).toBeGreaterThan(0);
    expect(outcome.missed).toBe(0);
    expect(outcome.submitted - outcome.finished).toBeLessThan(10);
  });

  it('go on where they were when their device is back before it was missed', () => {
    const blinking = '{ class: pi-5, count: 2, link: ethernet, fails: { every: 2 min, for: 4 s } }';
    const { cameras, lost, submitted, finished } = run(
      aFleet(blinking, door, '{ name: pictures, rate: 20 /s, size: 60 kB }'),
      0.5,
    );
    expect(cameras.moves).toBe(0);
    expect(cameras.gaps.count).toBeGreaterThan(5);
    expect(cameras.gaps.longestMs).toBeLessThan(8_000);
    expect(lost).toBeGreaterThan(0);
    expect(submitted - finished).toBeLessThan(10);
    expect(submitted - finished).toBeGreaterThanOrEqual(0);
  });

  it('do not begin on a device that is down and was not missed yet', () => {
    const blinking = '{ class: pi-5, count: 1, link: ethernet, fails: { every: 14 s, for: 6 s } }';
    const visits = `{ name: visit, count: 5, fps: 0.1, stream: ${small}, comes: { every: 12 s, for: 4 s } }`;
    const steady = run(aFleet(blinking.replace(/, fails.*/, ' }'), visits), 0.3).cameras;
    const { cameras } = run(aFleet(blinking, visits), 0.3);
    expect(cameras.watched / steady.watched).toBeLessThan(0.5);
  });

  it('leave a battery before it is at its floor, and no battery is pushed below it', () => {
    const devices =
      '{ class: phone-npu, count: 1, link: wifi, battery: { level: 60, floor: 40 } }, { class: pi-3b-plus, count: 1, link: wifi }';
    const outcome = run(aFleet(devices, `{ name: door, count: 1, fps: 1, stream: ${small} }`), 6);
    const [phone, board] = outcome.devices;
    expect(outcome.cameras).toMatchObject({ moves: 1, gaps: { count: 0 } });
    expect(phone?.workJ).toBeGreaterThan(0);
    expect(board?.workJ).toBeGreaterThan(0);
    expect(outcome.pushedUnderFloor).toBe(0);
    expect(phone?.levelPct).toBeGreaterThan(40);
    expect(phone?.levelPct).toBeLessThan(45);
  });

  it('do not go to and fro: on a night and a sunny morning full of tasks each moves less than once', () => {
    const devices = `{ class: pi-4, count: 3, link: ethernet }, { class: n100, count: 1, link: ethernet },
      { class: pi-5, count: 2, link: wifi, battery: { level: 70, spread: 10, charging: [{ from: "07:00", to: "17:00", watts: 20 }] } }`;
    const tasks = '{ name: pictures, rate: 0.5 /s, burst: { every: 10 min, count: 50 }, size: 60 kB, deadline: 1 s }';
    const cameras = `{ name: door, count: 6, fps: 2, stream: ${large} }`;
    const outcome = run(aFleet(devices, cameras, tasks), 5, { startHour: 4 });
    expect(outcome.cameras.watched).toBeGreaterThan(0.999);
    expect(outcome.cameras.moves).toBeLessThan(6);
    expect(outcome.pushedUnderFloor).toBe(0);
  });

  it('that matter most get what they ask for when the fleet is too small', () => {
    const group = (name: string, priority: number) =>
      `{ name: ${name}, count: 2, fps: 3, priority: ${priority}, stream: ${small} }`;
    const { groups } = run(aFleet(oneBoard, [group('shelf', 2), group('till', 8)].join(', ')), 1).cameras;
    const [shelf, till] = groups;
    expect(till?.analysed).toBeGreaterThan(0.95);
    expect(shelf?.analysed).toBeLessThan(0.5);
  });

  it('come and go at times of the day, or by chance, and are asked for only then', () => {
    const byDay = `{ name: day, count: 1, fps: 4, stream: ${small}, comes: "19:00", goes: "20:00" }`;
    const framesOf = (cameras: string) => run(aFleet(oneBoard, cameras), 3).cameras;
    const day = framesOf(byDay);
    expect(day.watched).toBeGreaterThan(0.998);
    expect(day.energyJ / framesOf(door).energyJ).toBeCloseTo(1 / 3, 2);
    const chance = framesOf(
      `{ name: now and then, count: 8, fps: 0.1, stream: ${small}, comes: { every: 30 min, for: 3 min } }`,
    );
    expect(chance.watched).toBeGreaterThan(0.98);
    expect(chance.gaps.count).toBe(0);
    const always = framesOf(`{ name: always, count: 8, fps: 0.1, stream: ${small} }`);
    expect(chance.energyJ / always.energyJ).toBeGreaterThan(0.07);
    expect(chance.energyJ / always.energyJ).toBeLessThan(0.13);
  });

  it('are the same when the seed is the same', () => {
    const fleet = aFleet('{ class: pi-5, count: 3, link: wifi, fails: { every: 30 min, for: 5 min } }', door);
    expect(JSON.stringify(run(fleet, 2))).toBe(JSON.stringify(run(fleet, 2)));
  });
});
