import { describe, expect, it } from 'vitest';
import { LiveCamera } from '../../src/cameras/live-camera.ts';
import { Turns } from '../../src/cameras/turns.ts';
import { create, joined } from '../support/watching.ts';
import { aWorld } from '../support/world.ts';

const cameras = (count: number) =>
  Array.from({ length: count }, (_, n) => {
    const spec = {
      ...{ name: `${n}`, source: 'a.mp4', pipeline: 'detect', targetFps: 5, priority: n === 70 ? 9 : 5 },
      ...{ parameters: {}, loop: false, labels: {} },
    };
    const camera = { id: `${n}`, spec, revision: 1, createdAtMs: n, formerDevices: [], reason: '', refused: [] };
    return new LiveCamera(camera, undefined);
  });
const names = (lives: readonly LiveCamera[]) => lives.map(({ camera }) => camera.id);

describe('cameras that wait', () => {
  it('are all tried when they are few, the most important first', () => {
    expect(names(new Turns().of(cameras(16).reverse()))).toEqual(Array.from({ length: 16 }, (_, n) => `${n}`));
  });

  it('are tried a few at a time when they are many: the first in rank each time, every other in its turn', () => {
    const turns = new Turns();
    const many = cameras(100);
    const tried = new Set<string>();
    for (let n = 0; n < 12; n++) {
      const now = names(turns.of(many));
      expect(now.slice(0, 8)).toEqual(['70', '0', '1', '2', '3', '4', '5', '6']);
      expect(now).toHaveLength(16);
      for (const name of now) tried.add(name);
    }
    expect(tried.size).toBe(100);
  });

  it('are no hindrance to the last of them, which could be placed', async () => {
    const world = await aWorld();
    for (let n = 0; n < 60; n++) await create(world, { name: `${n}`, labels: { nobody: 'has it' } });
    const last = await create(world, { name: 'last', priority: 0 });
    await joined(world, 10);
    await world.clock.advance(20_000);
    expect(world.coordinator.cameras.get(last).device).toBeDefined();
  });
});
