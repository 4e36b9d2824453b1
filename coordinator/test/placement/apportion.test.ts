import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Asker, apportion, leastRate } from '../../src/placement/streams/apportion.ts';
import type { Rung } from '../../src/placement/streams/decode-ladder.ts';

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
    // What is left over when one of the others had to go down is enough for the least of it.
    expect(shown(askers, 0.19)).toEqual({ c1: 'keyframes 5', c2: 'full 5', c3: 'skip 5' });
    expect(shown(askers, 0.17)).toEqual({ c1: 'out', c2: 'full 5', c3: 'skip 5' });
  });

  it('takes frames from the lowest when its time is too short, down to a fifth, then lets them go', () => {
    const askers = [asker('c1', { priority: 1, loadPerFps: 0.1 }), asker('c2', { priority: 9, loadPerFps: 0.1 })];
    expect(shown(askers, 1, 0.9)).toEqual({ c1: 'full 3.75', c2: 'full 5' });
    expect(shown(askers, 1, 0.6)).toEqual({ c1: 'full 1', c2: 'full 5' });
    expect(shown(askers, 1, 0.54)).toEqual({ c1: 'out', c2: 'full 5' });
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

  describe('whatever is asked for', () => {
    const bottom = ladder.length - 1;
    interface Held {
      readonly asker: Asker;
      readonly fps: number;
      readonly rung: number;
    }
    const coresOf = (held: readonly Held[]) => held.reduce((sum, { rung }) => sum + (ladder[rung]?.cores ?? 0), 0);
    const loadOf = (held: readonly Held[]) =>
      held.reduce((sum, { asker, fps, rung }) => sum + asker.loadPerFps * Math.min(fps, ladder[rung]?.fps ?? 0), 0);
    const anAsker = fc.record({
      priority: fc.integer({ min: 0, max: 3 }),
      loadPerFps: fc.constantFrom(0, 0.01, 0.05, 0.1),
    });
    const always = (check: (held: readonly Held[], out: readonly Asker[], cores: number) => void) =>
      fc.assert(
        fc.property(
          fc.array(anAsker, { minLength: 2, maxLength: 8 }),
          fc.double({ min: 0.02, max: 1, noNaN: true }),
          (some, cores) => {
            const askers = some.map((change, n) => asker(`c${n + 1}`, change));
            const { portions, out } = apportion(askers, cores, 0.9);
            const held = askers.flatMap((one) => {
              const portion = portions.get(one.id);
              const rung = ladder.findIndex(({ level }) => level === portion?.decode);
              return portion ? [{ asker: one, fps: portion.fps, rung }] : [];
            });
            expect(held.length + out.length).toBe(askers.length);
            check(
              held,
              askers.filter(({ id }) => out.includes(id)),
              cores,
            );
          },
        ),
      );
    const hasRoom = (held: readonly Held[], cores: number) =>
      coresOf(held) <= cores - 1e-6 && loadOf(held) <= 0.9 - 1e-6;

    it('no more is given out than there is, and nobody is left with less than a fifth', () => {
      always((held, _out, cores) => {
        if (held.length > 1) expect(coresOf(held)).toBeLessThanOrEqual(cores + 1e-6);
        if (held.length > 1) expect(loadOf(held)).toBeLessThanOrEqual(0.9 + 1e-6);
        for (const { fps } of held) expect(fps).toBeGreaterThanOrEqual(5 * leastRate - 1e-9);
      });
    });

    it('nobody is out, or decoded less, who could be in, or decoded better, if those that matter less had only the least', () => {
      always((held, out, cores) => {
        const without = (priority: number, but?: Held) =>
          held.filter((one) => one !== but && one.asker.priority >= priority);
        for (const gone of out)
          expect(hasRoom([...without(gone.priority), { asker: gone, fps: 5 * leastRate, rung: bottom }], cores)).toBe(
            false,
          );
        for (const one of held.filter(({ rung }) => rung > 0)) {
          const others = held.filter(({ asker }) => asker.priority < one.asker.priority);
          const least = others.map((low) => ({ ...low, rung: bottom, fps: 5 * leastRate }));
          const better = { ...one, rung: one.rung - 1 };
          expect(hasRoom([...without(one.asker.priority, one), ...least, better], cores)).toBe(false);
        }
      });
    });
  });
});
