import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Asker, apportion, leastRate } from '../../src/placement/apportion.ts';
import type { Rung } from '../../src/placement/decode-ladder.ts';

const ladder: readonly Rung[] = [
  { level: 'full', cores: 0.1, fps: 5 },
  { level: 'skip', cores: 0.06, fps: 5 },
  { level: 'keyframes', cores: 0.02, fps: 0.5 },
];
const asker = (id: string, change: Partial<Asker> = {}): Asker => ({
  id,
  priority: 5,
  since: Number(id.slice(1)) || 0,
  fps: 5,
  loadPerFps: 0.01,
  ladder,
  ...change,
});

/** `full 5` by id; `out` of those that have to go. */
function shown(askers: readonly Asker[], cores: number, load?: number) {
  const { portions, out } = apportion(askers, cores, load);
  const given = [...portions].map(([id, { decode, fps }]) => [id, `${decode} ${fps}`]);
  return Object.fromEntries([...given, ...out.map((id) => [id, 'out'])]);
}

describe('a device that is divided among its cameras', () => {
  it('gives all of them all while there is room', () => {
    expect(shown([asker('c1'), asker('c2')], 0.2)).toEqual({ c1: 'full 5', c2: 'full 5' });
  });

  it('lets equals share: each goes a level down before one goes two, the newest first', () => {
    expect(shown([asker('c1'), asker('c2'), asker('c3')], 0.27)).toEqual({ c1: 'full 5', c2: 'full 5', c3: 'skip 5' });
    expect(shown([asker('c1'), asker('c2'), asker('c3')], 0.19)).toEqual({ c1: 'skip 5', c2: 'skip 5', c3: 'skip 5' });
  });

  it('takes from those of lower priority first, however far down that brings them, and before that from nobody', () => {
    const askers = [asker('c1', { priority: 1 }), asker('c2', { priority: 9 }), asker('c3', { priority: 9 })];
    expect(shown(askers, 0.26)).toEqual({ c1: 'skip 5', c2: 'full 5', c3: 'full 5' });
    expect(shown(askers, 0.22)).toEqual({ c1: 'keyframes 5', c2: 'full 5', c3: 'full 5' });
    expect(shown(askers, 0.2)).toEqual({ c1: 'out', c2: 'full 5', c3: 'full 5' });
    expect(shown(askers, 0.17)).toEqual({ c1: 'out', c2: 'full 5', c3: 'skip 5' });
  });

  it('takes frames from the lowest when its time is too short, down to a fifth, then lets them go', () => {
    const askers = [asker('c1', { priority: 1, loadPerFps: 0.1 }), asker('c2', { priority: 9, loadPerFps: 0.1 })];
    expect(shown(askers, 1, 0.9)).toEqual({ c1: 'full 3.75', c2: 'full 5' });
    expect(shown(askers, 1, 0.6)).toEqual({ c1: 'full 1', c2: 'full 5' });
    expect(shown(askers, 1, 0.55)).toEqual({ c1: 'out', c2: 'full 5' });
  });

  it('takes nothing for what was only guessed', () => {
    expect(shown([asker('c1', { loadPerFps: 0 }), asker('c2', { loadPerFps: 0 })], 1, 0)).toEqual({
      c1: 'full 5',
      c2: 'full 5',
    });
  });

  it('gives the last one what there is, and never sends it away', () => {
    expect(shown([asker('c1', { loadPerFps: 1 })], 0.001, 0.001)).toEqual({ c1: 'keyframes 5' });
    expect(shown([asker('c1', { loadPerFps: 1 }), asker('c2', { loadPerFps: 1 })], 1, 0.1)).toEqual({
      c1: 'full 5',
      c2: 'out',
    });
    expect(shown([asker('c1'), asker('c2')], 0.001)).toEqual({ c1: 'keyframes 5', c2: 'out' });
  });

  it('never gives out more than there is, and nobody lacks what somebody of lower priority has', () => {
    const anAsker = fc.record({
      priority: fc.integer({ min: 0, max: 3 }),
      loadPerFps: fc.constantFrom(0, 0.01, 0.05, 0.1),
    });
    fc.assert(
      fc.property(
        fc.array(anAsker, { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0.02, max: 1, noNaN: true }),
        (some, cores) => {
          const askers = some.map((change, n) => asker(`c${n + 1}`, change));
          const { portions, out } = apportion(askers, cores, 0.9);
          expect(portions.size + out.length).toBe(askers.length);
          const given = askers.flatMap((one) => {
            const portion = portions.get(one.id);
            const rung = ladder.findIndex(({ level }) => level === portion?.decode);
            return portion ? [{ one, portion, rung }] : [];
          });
          if (given.length > 1) {
            expect(given.reduce((sum, { rung }) => sum + (ladder[rung]?.cores ?? 0), 0)).toBeLessThanOrEqual(
              cores + 1e-6,
            );
            const load = given.reduce(
              (sum, { one, portion, rung }) => sum + one.loadPerFps * Math.min(portion.fps, ladder[rung]?.fps ?? 0),
              0,
            );
            expect(load).toBeLessThanOrEqual(0.9 + 1e-6);
          }
          for (const { portion } of given) expect(portion.fps).toBeGreaterThanOrEqual(5 * leastRate - 1e-9);
          const taken = given.reduce((sum, { rung }) => sum + (ladder[rung]?.cores ?? 0), 0);
          const coresAt = (rung: number) => ladder[rung]?.cores ?? 0;
          // What the lower one could still give up would not be enough for the higher one to go a level up.
          for (const { one: high, rung } of given)
            for (const { one: low, rung: lower } of given)
              if (high.priority > low.priority && rung > 0)
                expect(taken + coresAt(rung - 1) - coresAt(rung) - (coresAt(lower) - coresAt(2))).toBeGreaterThan(
                  cores,
                );
          for (const id of out) {
            const gone = askers.find((one) => one.id === id);
            for (const { one } of given) expect(one.priority).toBeGreaterThanOrEqual(gone?.priority ?? 0);
          }
        },
      ),
    );
  });
});
