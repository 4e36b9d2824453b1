import { parseFleet, simulate } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

/** A small fleet: devices of classes, and so many pictures a second. */
function aFleet(devices: string, workload: string) {
  return parseFleet(`{ name: test, title: test, devices: [${devices}], workloads: [${workload}] }`);
}

const board = '{ class: pi-5, count: 2, link: ethernet }';
const pictures = '{ name: pictures, rate: 5 /s, size: 60 kB }';
const run = (fleet: ReturnType<typeof aFleet>, strategy = 'cost', hours = 0.05) =>
  simulate({ fleet, strategy, seed: 1, hours, startHour: 18 });

describe('a coarse world', () => {
  it('does what it is asked, and loses nothing', () => {
    const { submitted, finished, missed, accuracy, joulesPerTask } = run(aFleet(board, pictures));
    expect(submitted).toBeGreaterThan(5 * 180 * 0.8);
    expect(submitted - finished).toBeLessThan(10);
    expect(missed).toBe(0);
    expect(accuracy).toBeGreaterThan(0.3);
    expect(joulesPerTask).toBeGreaterThan(0);
  });

  it('is the same when its seed is the same, and another when it is not', () => {
    const of = (seed: number) =>
      simulate({ fleet: aFleet(board, pictures), strategy: 'random', seed, hours: 0.02, startHour: 0 });
    expect(JSON.stringify(of(3))).toBe(JSON.stringify(of(3)));
    expect(of(4).latencyMs).not.toEqual(of(3).latencyMs);
  });

  it('ends work at its deadline when there is too much of it', () => {
    const { submitted, finished, missed } = run(
      aFleet('{ class: pi-3b-plus, count: 1, link: wifi }', '{ name: flood, rate: 20 /s, size: 1 kB, deadline: 1 s }'),
    );
    expect(missed).toBeGreaterThan(0.5);
    expect(finished).toBeLessThan(submitted / 2);
  });

  it('gathers for some ms what comes in, for a strategy that places it together, and loses nothing of it', () => {
    const storm = '{ name: storm, burst: { every: 10 s, count: 200 }, size: 60 kB }';
    const { submitted, finished } = run(aFleet(board, storm), 'min-cost-flow');
    expect(submitted).toBeGreaterThan(2_000);
    expect(submitted - finished).toBeLessThanOrEqual(200);
    const quiet = aFleet(board, '{ name: quiet, rate: 1 /s, size: 1 kB }');
    const [soon = 0, gathered = 0] = ['cost', 'min-cost-flow'].map((strategy) => run(quiet, strategy).latencyMs.p50);
    expect(gathered - soon).toBeGreaterThan(2);
  });

  it('draws batteries down by idling and by work, and charges them in their windows', () => {
    const battery = (charging: string) =>
      `{ class: phone, count: 1, link: wifi, battery: { level: 80, floor: 30, charging: [${charging}] } }`;
    const levelOf = (devices: string, workload: string) =>
      run(aFleet(devices, workload), 'cost', 1).devices[0]?.levelPct ?? 0;
    const idle = levelOf(battery(''), '{ name: none, burst: { every: 24 h, count: 1 }, size: 1 B }');
    const busy = levelOf(battery(''), '{ name: much, rate: 10 /s, size: 1 kB }');
    const charged = levelOf(
      battery('{ from: "18:30", to: "19:00", watts: 10 }'),
      '{ name: none, burst: { every: 24 h, count: 1 }, size: 1 B }',
    );
    expect(idle).toBeLessThan(80);
    expect(busy).toBeLessThan(idle);
    expect(charged).toBeGreaterThan(80);
  });

  it('draws nothing on a device that is down', () => {
    const levelOf = (more: string) =>
      run(
        aFleet(
          `{ class: phone, count: 1, link: wifi, battery: { level: 80 }${more} }`,
          '{ name: none, burst: { every: 24 h, count: 1 }, size: 1 B }',
        ),
        'cost',
        4,
      ).devices[0]?.levelPct ?? 0;
    const [up, halfUp] = [levelOf(''), levelOf(', fails: { every: 10 min, for: 5 min }')];
    expect((80 - halfUp) / (80 - up)).toBeGreaterThan(0.4);
    expect((80 - halfUp) / (80 - up)).toBeLessThan(0.6);
  });

  it.each(['cost', 'min-cost-flow', 'least-loaded', 'random', 'ecore', 'fastest'])(
    'takes no battery below its floor under %s, however much there is to do',
    (strategy) => {
      const fleet = aFleet(
        '{ class: phone, count: 5, link: wifi, battery: { level: 42, spread: 2, floor: 40 } }, { class: pi-4, count: 1, link: wifi }',
        '{ name: much, rate: 60 /s, size: 1 kB, deadline: 2 s }',
      );
      const { pushedUnderFloor, finished, devices } = run(fleet, strategy, 1);
      expect(finished).toBeGreaterThan(0);
      expect(devices.some(({ workJ }) => workJ > 0)).toBe(true);
      expect(pushedUnderFloor).toBe(0);
    },
  );

  it('uses the models and devices that cost least when nothing is urgent', () => {
    const fleet = aFleet(`${board}, { class: orin-nano, count: 1, link: ethernet }`, pictures);
    const shares = run(fleet, 'cost', 0.2).devices;
    const orin = shares.find(({ class: name }) => name === 'orin-nano');
    for (const other of shares.filter((device) => device !== orin)) expect(orin?.workJ).toBeGreaterThan(other.workJ);
  });
});
