import { describe, expect, it } from 'vitest';
import { FleetCamera } from '../../src/coarse/fleet-camera.ts';

const group = {
  name: 'door',
  count: 1,
  fps: 5,
  stream: { width: 640, height: 360, fps: 10, codec: 'h264' },
  labels: {},
  objects: { few: 1, some: 0, many: 0 },
  accuracyLoss: 1,
} as const;
const all = { fps: 5, decode: 'full' } as const;

function watched() {
  const camera = new FleetCamera(group);
  camera.comes(0);
  camera.seenBy('a', all, 1_000);
  return camera;
}

function figuresAt(camera: FleetCamera, nowMs: number) {
  camera.settle(nowMs);
  return camera.figures;
}

describe('what comes of a camera', () => {
  it('is asked for from the moment it comes, and its first pictures are no gap', () => {
    expect(figuresAt(watched(), 11_000)).toEqual({
      thereMs: 11_000,
      watchedMs: 10_000,
      levelMs: { full: 10_000, skip: 0, keyframes: 0, substream: 0 },
      asked: 55,
      analysed: 50,
      moves: 0,
      gapsMs: [],
    });
  });

  it('counts what two see while it is handed over once, and no gap', () => {
    const camera = watched();
    camera.seenBy('b', { fps: 2, decode: 'skip' }, 5_000);
    camera.seenBy('a', undefined, 7_000);
    const { analysed, gapsMs, levelMs } = figuresAt(camera, 11_000);
    expect(analysed).toBe(6 * 5 + 4 * 2);
    expect(levelMs).toMatchObject({ full: 6_000, skip: 4_000 });
    expect(gapsMs).toEqual([]);
  });

  it('has a gap for as long as nobody watches, also while it lasts and when it ends with the camera', () => {
    const camera = watched();
    camera.seenBy('a', undefined, 5_000);
    expect(figuresAt(camera, 6_000).gapsMs).toEqual([1_000]);
    camera.seenBy('b', all, 8_000);
    camera.seenBy('b', undefined, 9_000);
    camera.goes(9_500);
    expect(figuresAt(camera, 60_000)).toMatchObject({ thereMs: 9_500, watchedMs: 5_000, gapsMs: [3_000, 500] });
  });

  it('moves when another device gets it, not when the same gets it anew or it has been away', () => {
    const camera = watched();
    for (const device of ['a', 'a', 'b', 'a']) camera.boundOn(device);
    camera.goes(2_000);
    camera.comes(3_000);
    camera.boundOn('c');
    expect(camera.figures.moves).toBe(2);
  });
});
