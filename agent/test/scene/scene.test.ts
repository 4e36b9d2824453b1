import type { Detection } from '@shoal/models';
import { type Json, parseSceneParameters, type SceneEvent } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { Scene, type SceneNews } from '../../src/scene/scene.ts';

const picture = { width: 1_000, height: 500 };

/** A scene that is shown pictures, five a second, of bodies on a grey ground. */
function aScene(parameters: { readonly [name: string]: Json } = {}) {
  let events = 0;
  const scene = new Scene(parseSceneParameters(parameters), () => `evt_${++events}`);
  let number = 0;
  const time = () => ({ capturedAtMs: 1_000_000 + number * 200, capturedMonotonicMs: number * 200 });
  /** Somebody whose feet are at these shares of the picture. */
  const standing = (x: number, y: number, label = 'person', score = 0.8): Detection => {
    const [width, height] = [40, 100];
    return { label, score, classIndex: 0, box: { x: x * 1_000 - width / 2, y: y * 500 - height, width, height } };
  };
  return {
    standing,
    /** One picture on which the model finds this. */
    see(...found: Detection[]): SceneNews {
      number += 1;
      return scene.look(found, picture, time());
    },
    /** One picture, a square of the given brightness on it; whether the model should look. */
    glance(brightness: number, x = 10): boolean {
      number += 1;
      const pixels = new Uint8Array(96 * 48 * 3).fill(128);
      for (let row = 20; row < 28; row++) pixels.fill(brightness, (row * 96 + x) * 3, (row * 96 + x + 8) * 3);
      const worth = scene.isWorthALook({ pixels, width: 96, left: 0, top: 0, right: 96, bottom: 48 }, time());
      if (worth) scene.look([], picture, time());
      return worth;
    },
  };
}

const walk = (from: number, to: number, steps: number) =>
  Array.from({ length: steps }, (_, i) => from + ((to - from) * i) / (steps - 1));

describe('a scene', () => {
  it('makes one event of a stay: start, its zones and best look, end', () => {
    const { see, standing } = aScene({
      zones: {
        door: [
          [0.4, 0],
          [0.6, 0],
          [0.6, 1],
          [0.4, 1],
        ],
      },
    });
    const told: SceneEvent[] = [];
    for (const x of walk(0.1, 0.9, 41)) told.push(...see(standing(x, 0.8)).events);
    for (let i = 0; i < 20; i++) told.push(...see().events);
    expect(told.map(({ phase }) => phase)).toEqual(['start', 'update', 'end']);
    expect(new Set(told.map(({ id }) => id))).toEqual(new Set(['evt_1']));
    const [start, update, end] = told as [SceneEvent, SceneEvent, SceneEvent];
    expect(start).toMatchObject({ label: 'person', track: 1, zones: {}, startedAtMs: 1_000_400 });
    expect(Object.keys(update.zones)).toEqual(['door']);
    // A fifth of the picture's width of four fifths, in 8.2 s.
    expect(end.zones['door']).toBeGreaterThan(1_600);
    expect(end.zones['door']).toBeLessThan(2_600);
    // It ended when it was last seen, not when it was given up.
    expect(end.endedAtMs).toBe(1_000_000 + 41 * 200);
  });

  it('says in each result who stands where', () => {
    const { see, standing } = aScene({
      zones: {
        left: [
          [0, 0],
          [0.5, 0],
          [0.5, 1],
          [0, 1],
        ],
      },
    });
    for (let i = 0; i < 4; i++) see(standing(0.2, 0.8), standing(0.8, 0.8));
    const { tracks } = see(standing(0.2, 0.8), standing(0.8, 0.8));
    expect(tracks.map(({ track, zones, event }) => ({ track, zones, event }))).toEqual([
      { track: 1, zones: ['left'], event: 'evt_1' },
      { track: 2, zones: [], event: 'evt_2' },
    ]);
  });

  it.each([
    ['in', walk(0.3, 0.7, 9)],
    ['out', walk(0.7, 0.3, 9)],
  ])('counts who goes %s across a line, once', (direction, way) => {
    // From the upper end to the lower one: its left hand is where x is larger.
    const { see, standing } = aScene({
      lines: {
        gate: [
          [0.5, 1],
          [0.5, 0],
        ],
      },
    });
    const crossings = way.flatMap((x) => see(standing(x, 0.8)).crossings);
    expect(crossings).toEqual([{ line: 'gate', track: 1, label: 'person', direction }]);
  });

  it('does not count who goes around the end of a line, or stands trembling on it', () => {
    const { see, standing } = aScene({
      lines: {
        gate: [
          [0.5, 0.3],
          [0.5, 0],
        ],
      },
    });
    expect(walk(0.3, 0.7, 9).flatMap((x) => see(standing(x, 0.8)).crossings)).toEqual([]);
    const other = aScene({
      lines: {
        gate: [
          [0.5, 1],
          [0.5, 0],
        ],
      },
    });
    const trembling = Array.from({ length: 20 }, (_, i) => 0.5 + (i % 2 ? 0.004 : -0.004));
    expect(trembling.flatMap((x) => other.see(other.standing(x, 0.8)).crossings)).toEqual([]);
  });

  it('follows what it was asked to, and nothing that does not move by itself unless asked', () => {
    const { see, standing } = aScene();
    for (let i = 0; i < 3; i++) see(standing(0.2, 0.8, 'chair'), standing(0.8, 0.8, 'dog'));
    expect(see(standing(0.8, 0.8, 'dog')).tracks.map(({ label }) => label)).toEqual(['dog']);
    const chairs = aScene({ labels: ['chair'] });
    for (let i = 0; i < 3; i++) chairs.see(chairs.standing(0.2, 0.8, 'chair'), chairs.standing(0.8, 0.8, 'dog'));
    expect(chairs.see(chairs.standing(0.2, 0.8, 'chair')).tracks.map(({ label }) => label)).toEqual(['chair']);
  });

  it('says of who has stood for ten seconds that it is still, until it goes on', () => {
    const { see, standing } = aScene();
    const still = () => see(standing(0.5, 0.8)).tracks.map((track) => track.still ?? false);
    expect(Array.from({ length: 40 }, still).flat()).not.toContain(true);
    expect(Array.from({ length: 30 }, still).flat().at(-1)).toBe(true);
    for (const x of walk(0.5, 0.6, 6)) see(standing(x, 0.8));
    expect(see(standing(0.6, 0.8)).tracks[0]?.still).toBeUndefined();
  });
});

describe('the motion gate of a scene', () => {
  it('shows the model what moves, and what moved a moment ago; else a picture now and then', () => {
    const { glance } = aScene();
    expect(glance(128)).toBe(true);
    const quiet = Array.from({ length: 100 }, () => glance(128));
    expect(quiet.lastIndexOf(true)).toBeLessThan(16);
    expect(glance(220, 40)).toBe(true);
    const after = Array.from({ length: 15 }, () => glance(220, 40));
    expect(after).not.toContain(false);
    const later = Array.from({ length: 200 }, () => glance(220, 40));
    expect(later.slice(40).filter(Boolean)).toHaveLength(1);
  });

  it('looks at each picture when it is told to', () => {
    const { glance } = aScene({ motion: false });
    expect(Array.from({ length: 50 }, () => glance(128))).not.toContain(false);
  });

  it('takes no notice of movement under a mask', () => {
    const { glance } = aScene({
      motion: {
        quietSeconds: 0,
        masks: [
          [
            [0, 0],
            [0.5, 0],
            [0.5, 1],
            [0, 1],
          ],
        ],
      },
    });
    glance(128);
    const behind = Array.from({ length: 20 }, (_, i) => glance(i % 2 ? 20 : 220, 10));
    expect(behind).not.toContain(true);
    expect(glance(220, 70)).toBe(true);
  });

  it('gets used to what never keeps still, and still sees who walks through', () => {
    const { glance } = aScene({ motion: { quietSeconds: 0 } });
    const leaves = Array.from({ length: 300 }, (_, i) => glance(i % 2 ? 118 : 142, 10));
    expect(leaves.slice(0, 10)).toContain(true);
    expect(leaves.slice(-50).filter(Boolean).length).toBeLessThan(3);
    expect(glance(255, 50)).toBe(true);
  });
});

describe('parameters of a scene', () => {
  it.each([
    [
      {
        zones: {
          door: [
            [0, 0],
            [1, 1],
          ],
        },
      },
      'zones.door: a polygon has at least 3 points, this one 2',
    ],
    [{ lines: { gate: [[0, 0]] } }, 'lines.gate: a line has 2 points'],
    [
      {
        lines: {
          gate: [
            [0, 0],
            [0, 0],
          ],
        },
      },
      'the same',
    ],
    [
      {
        masks: [
          [
            [0, 0],
            [2, 0],
            [1, 1],
          ],
        ],
      },
      'masks.0: a list of at most 100 points',
    ],
    [{ motion: { sensitivity: 3 } }, 'motion.sensitivity: there is none of this name'],
    [{ motion: { quietSeconds: -1 } }, 'motion.quietSeconds: a number from 0 to 3600'],
    [{ zone: {} }, 'zone: there is none of this name; there are labels'],
    [{ labels: [] }, 'labels: a list of 1 to 100 names'],
    [{ zones: [] }, 'zones: at most 50 by name'],
  ] as readonly (readonly [{ readonly [name: string]: Json }, string])[])('%j are refused', (given, words) => {
    expect(() => parseSceneParameters(given)).toThrow(words);
  });
});
