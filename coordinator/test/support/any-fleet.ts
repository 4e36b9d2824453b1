import fc from 'fast-check';
import { type DeviceSnapshot, exactly, fromQuantiles, type Work } from '../../src/placement/index.ts';
import { aDevice, onMains, someWork } from './fleets.ts';

const inMemory = Number.POSITIVE_INFINITY;

/** A device as strange as they come: not reachable, far behind, at its floor, never measured. */
export const anyDevice = (id: string): fc.Arbitrary<DeviceSnapshot> =>
  fc
    .record({
      presence: fc.constantFrom('online', 'online', 'online', 'suspect', 'offline') as fc.Arbitrary<
        DeviceSnapshot['presence']
      >,
      draining: fc.constantFrom(false, false, false, true),
      labels: fc.constantFrom({}, { room: 'a' }, { room: 'b' }),
      onBattery: fc.boolean(),
      levelPct: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
      hasEngine: fc.constantFrom(true, true, true, false),
      accelerated: fc.boolean(),
      slots: fc.integer({ min: 1, max: 4 }),
      running: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 70 })),
      backlog: fc.integer({ min: 0, max: 5_000 }).map(exactly),
      cameraLoad: fc.double({ min: 0, max: 2, noNaN: true }),
      decodeMs: fc.integer({ min: 0, max: 20 }),
      run: fc.option(
        fc.record({ p50Ms: fc.integer({ min: 1, max: 2_000 }), spread: fc.double({ min: 1, max: 2, noNaN: true }) }),
        {
          nil: undefined,
        },
      ),
      energyJ: fc.option(fc.double({ min: 0, max: 5, noNaN: true }), { nil: undefined }),
      loaded: fc.boolean(),
      freeBytes: fc.constantFrom(4e9, 4e9, 4e9, 5e7),
    })
    .map(({ run, energyJ, loaded, onBattery, levelPct, ...device }) => {
      const known = run && {
        run: fromQuantiles(run.p50Ms, run.p50Ms * run.spread),
        energyJ,
        loadMs: 500,
        memoryBytes: 1e8,
        loadedUntilMs: loaded ? inMemory : 0,
      };
      return aDevice(id, {
        ...device,
        power: { ...onMains, onBattery, levelPct },
        ...(known && { variants: { 'm/int8': known } }),
      });
    });

export const anyFleet: fc.Arbitrary<readonly DeviceSnapshot[]> = fc
  .integer({ min: 0, max: 12 })
  .chain((size) => fc.tuple(...Array.from({ length: size }, (_, n) => anyDevice(`d${n}`))));

export const anyWork: fc.Arbitrary<Work> = fc
  .record({
    labels: fc.constantFrom({}, { room: 'a' }),
    timeLeftMs: fc.integer({ min: 1, max: 5_000 }),
    tried: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 4 }),
    inputBytes: fc.integer({ min: 0, max: 1_000_000 }),
  })
  .map(({ tried, ...work }) => someWork({ ...work, tried: new Set(tried.map((n) => `d${n}`)) }));
