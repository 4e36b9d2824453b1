import { type Random, seededRandom } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DeviceSnapshot,
  exactly,
  FleetIndex,
  type FleetSnapshot,
  fromQuantiles,
  place,
  strategyNamed,
  type Work,
} from '../../src/placement/index.ts';
import { aDevice, aFleet, aPolicy, onBattery, onMains, someWork } from '../support/fleets.ts';

const contextOf = (random: Random) => ({ ...aPolicy, nowMs: 0, wallMs: 0, random });

/** A device of one of a few kinds, with everything about it that may differ between two of a kind. */
function drawDevice(id: string, random: Random, busy: number): DeviceSnapshot {
  const between = (least: number, most: number) => least + (most - least) * random.next();
  const kind = Math.floor(between(0, 6));
  const accelerated = kind > 3;
  const runMs = [400, 140, 60, 30, 12, 8][kind] as number;
  const own = between(0.7, 1.4);
  const run = (factor: number) => fromQuantiles(runMs * own * factor, runMs * own * factor * between(1.05, 1.3));
  const energyJ = (runMs * own * ([2.5, 3.4, 5, 3, 4, 9][kind] as number)) / 1_000;
  const inMemory = random.next() < 0.7 ? Number.POSITIVE_INFINITY : 0;
  const slots = 1 + Math.floor(between(0, 2));
  const running = random.next() < busy ? slots : 0;
  const power = random.next() < 0.3 ? onBattery(between(20, 100)) : onMains;
  return aDevice(id, {
    kind: `kind ${kind}`,
    accelerated,
    slots,
    running,
    backlog: running > 0 ? exactly(between(1, 600)) : exactly(0),
    power,
    bytesPerMs: [1_500, 5_000, 12_500][Math.floor(between(0, 3))] as number,
    decodeMs: between(0, 12),
    cameraLoad: random.next() < 0.2 ? between(0, 0.6) : 0,
    variants: {
      'm/int8': { run: run(1), energyJ, loadMs: 500, loadedUntilMs: inMemory },
      ...(kind < 4 && { 'm/float32': { run: run(2), energyJ: energyJ * 2, loadMs: 900, loadedUntilMs: inMemory } }),
    },
  });
}

const works: readonly Work[] = [undefined, 60, 250, 1_000].flatMap((timeLeftMs) =>
  [0, 30_000, 300_000].map((inputBytes) => someWork({ inputBytes, ...(timeLeftMs !== undefined && { timeLeftMs }) })),
);

/** The same fleet without the index. */
function whole(fleet: FleetIndex): FleetSnapshot {
  return {
    size: fleet.size,
    acceleratorsBusy: fleet.acceleratorsBusy,
    device: (id) => fleet.device(id),
    all: () => fleet.all(),
  };
}

describe('the index of a fleet', () => {
  it.each([0, 0.5, 0.97])('finds a device within 2 %% of the best on random fleets, %d of them busy', (busy) => {
    for (const seed of [1, 2, 3]) {
      const random = seededRandom(seed);
      const fleet = new FleetIndex(random);
      for (let n = 0; n < 1_500; n++) fleet.put(drawDevice(`d${n}`, random, busy));
      let [searched, exact, looked] = [0, 0, 0];
      for (let round = 0; round < 3; round++) {
        for (const work of works) {
          const found = place(fleet, work, contextOf(random));
          const best = place(whole(fleet), work, contextOf(random));
          if (found.kind !== 'placed' || best.kind !== 'placed') throw new Error('not placed');
          searched += found.placement.chosen.cost.total;
          exact += best.placement.chosen.cost.total;
          looked += found.placement.considered;
        }
      }
      expect(searched / exact).toBeLessThan(1.02);
      expect(searched / exact).toBeGreaterThanOrEqual(1);
      // That it looked at all would be no wonder.
      expect(looked / (3 * works.length)).toBeLessThan(150);
    }
  });

  it('never says that nothing can be done when one device can do it', () => {
    const random = seededRandom(4);
    const fleet = new FleetIndex(random);
    for (let n = 0; n < 500; n++) fleet.put(aDevice(`full${n}`, { runMs: 10, running: 64, kind: `kind ${n % 9}` }));
    const paused = { pause: { untilMs: 1, reason: 'hot' } };
    fleet.put(aDevice('only', { runMs: 10, ...paused }));
    const context = { ...contextOf(random), nowMs: 2 };
    for (const strategy of ['cost', 'least-loaded', 'random']) {
      const plan = place(fleet, someWork(), { ...context, strategy: strategyNamed(strategy) });
      expect(plan).toMatchObject({ placement: { chosen: { device: 'only' } } });
    }
  });

  it('does not take a device again where it failed while another one could do it', () => {
    const random = seededRandom(5);
    const fleet = new FleetIndex(random);
    const quick = Array.from({ length: 100 }, (_, n) => aDevice(`quick${n}`, { runMs: 1, kind: 'quick' }));
    for (const device of [...quick, aDevice('slow', { runMs: 900, kind: 'slow' })]) fleet.put(device);
    const tried = new Set(quick.map(({ id }) => id));
    expect(place(fleet, someWork({ tried }), contextOf(random))).toMatchObject({
      placement: { chosen: { device: 'slow' } },
    });
  });

  it('sees at once that a device has more in hand, less, or is another than it was', () => {
    const random = seededRandom(6);
    const fleet = new FleetIndex<Changing>(random);
    const devices = Array.from({ length: 200 }, (_, n) => changing(`d${n}`));
    for (const device of devices) fleet.put(device);
    const [first] = devices as [Changing];
    const chosen = () => {
      const plan = place(fleet, someWork(), contextOf(random));
      return plan.kind === 'placed' ? plan.placement.chosen.device : undefined;
    };
    for (const device of devices) if (device !== first) Object.assign(device, { running: 1, backlog: exactly(700) });
    for (const device of devices) fleet.shift(device);
    expect(Array.from({ length: 20 }, chosen)).toEqual(Array(20).fill('d0'));
    first.draining = true;
    fleet.put(first);
    expect(chosen()).not.toBe('d0');
    first.draining = false;
    fleet.put(first);
    expect(chosen()).toBe('d0');
    fleet.remove(first);
    expect(chosen()).not.toBe('d0');
  });

  it('goes by other weights and other limits as soon as they are asked for', () => {
    const random = seededRandom(7);
    const fleet = new FleetIndex(random);
    for (let n = 0; n < 100; n++) {
      fleet.put(aDevice(`fast${n}`, { runMs: 10, energyJ: 5, kind: 'fast' }));
      fleet.put(aDevice(`frugal${n}`, { runMs: 200, energyJ: 0.1, kind: 'frugal' }));
    }
    const chosen = (perJoule: number) => {
      const weights = { ...aPolicy.weights, perJoule };
      const plan = place(fleet, someWork(), { ...contextOf(random), weights });
      return plan.kind === 'placed' ? plan.placement.chosen.device.replace(/\d+/, '') : undefined;
    };
    expect([chosen(1), chosen(0), chosen(1)]).toEqual(['frugal', 'fast', 'frugal']);
  });

  it('has every device exactly once and counts its accelerators, after whatever happened', () => {
    const step = fc.record({
      what: fc.constantFrom('put', 'remove', 'shift', 'change'),
      device: fc.integer({ min: 0, max: 19 }),
      running: fc.integer({ min: 0, max: 5 }),
      kind: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const fleet = new FleetIndex<Changing>(seededRandom(1), { exactBelow: 0 });
        const devices = Array.from({ length: 20 }, (_, n) => changing(`d${n}`, { accelerated: n % 3 === 0, slots: 2 }));
        const there = new Set<Changing>();
        for (const { what, device: at, running, kind } of steps) {
          const device = devices[at] as Changing;
          if (what === 'put') fleet.put(device);
          if (what === 'remove') fleet.remove(device);
          if (what === 'put') there.add(device);
          if (what === 'remove') there.delete(device);
          if (!there.has(device)) continue;
          Object.assign(device, { running, backlog: exactly(running * 30) });
          if (what === 'change') Object.assign(device, { likeness: `like ${kind}` });
          if (what === 'shift') fleet.shift(device);
          else fleet.put(device);
        }
        expect(new Set(fleet.all())).toEqual(there);
        expect(fleet.all()).toHaveLength(there.size);
        expect(fleet.size).toBe(there.size);
        const accelerated = [...there].filter((device) => device.accelerated);
        const busy = accelerated.reduce((sum, { running }) => sum + running, 0) / (2 * accelerated.length || 1);
        expect(fleet.acceleratorsBusy).toBeCloseTo(Math.min(1, busy), 9);
        // Each of those that are left is found when it is the only one that is free.
        for (const device of there) {
          for (const other of there) {
            Object.assign(other, { running: other === device ? 0 : 64 });
            fleet.shift(other);
          }
          const plan = place(fleet, someWork(), contextOf(seededRandom(2)));
          expect(plan).toMatchObject({ placement: { chosen: { device: device.id } } });
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is looked at as a whole when it is small, and when few of it are asked for', () => {
    const random = seededRandom(8);
    const fleet = new FleetIndex(random, { exactBelow: 64 });
    for (let n = 0; n < 64; n++) fleet.put(aDevice(`d${n}`, { runMs: 10 }));
    const considered = (work: Work) => {
      const plan = place(fleet, work, contextOf(random));
      return plan.kind === 'placed' ? plan.placement.considered : 0;
    };
    expect(considered(someWork())).toBe(64);
    fleet.put(aDevice('d64', { runMs: 10, labels: { room: 'hall' } }));
    expect(considered(someWork())).toBeLessThan(10);
    expect(considered(someWork({ labels: { room: 'hall' } }))).toBe(65);
    expect(considered(someWork({ device: 'd64' }))).toBe(1);
    expect(considered(someWork({ stream: { fps: 1 } }))).toBe(65);
  });

  it('spreads work over equals', () => {
    const random = seededRandom(9);
    const fleet = new FleetIndex(random);
    for (let n = 0; n < 100; n++) fleet.put(aDevice(`d${n}`, { runMs: 10 }));
    const found = new Set<string>();
    for (let n = 0; n < 1_000; n++) {
      const plan = place(fleet, someWork(), contextOf(random));
      if (plan.kind === 'placed') found.add(plan.placement.chosen.device);
    }
    expect(found.size).toBe(100);
  });

  it('comes across a device that lacks nothing but its model in memory', () => {
    const random = seededRandom(10);
    const fleet = new FleetIndex(random);
    for (let n = 0; n < 100; n++) fleet.put(aDevice(`warm${n}`, { runMs: 100, energyJ: 0.5 }));
    fleet.put(aDevice('cold', { kind: 'better', runMs: 10, energyJ: 0.1, loadMs: 60_000 }));
    const warmed = Array.from({ length: 50 }, () => place(fleet, someWork(), contextOf(random))).map((plan) =>
      plan.kind === 'placed' ? plan.warm?.device : undefined,
    );
    expect(warmed).toContain('cold');
  });
});

describe('a search for the least cost', () => {
  it('takes what the score of every candidate would take', () => {
    const { leastCost: _, ...listed } = strategyNamed('cost');
    const work = fc.constantFrom(...works);
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), work, (seed, size, of) => {
        const random = seededRandom(seed);
        const fleet = aFleet(
          Array.from({ length: size }, (_, n) => drawDevice(`d${n}`, random, 0.5)),
          0.3,
        );
        const [found, scored] = [strategyNamed('cost'), listed].map((strategy) =>
          place(fleet, of, { ...contextOf(seededRandom(seed)), strategy }),
        );
        if (found?.kind !== 'placed' || scored?.kind !== 'placed') expect(found?.kind).toBe(scored?.kind);
        else expect(found.placement).toEqual(scored.placement);
      }),
      { numRuns: 300 },
    );
  });
});

/** A device as the registry has them: it changes, and says so. */
type Changing = { -readonly [Field in keyof DeviceSnapshot]: DeviceSnapshot[Field] };

function changing(id: string, change: Partial<DeviceSnapshot> = {}): Changing {
  return { ...aDevice(id, { runMs: 10, energyJ: 0.1, ...change }) };
}
