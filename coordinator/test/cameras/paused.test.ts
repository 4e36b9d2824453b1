import { describe, expect, it } from 'vitest';
import type { CameraSpec } from '../../src/domain/index.ts';
import { aWorld } from '../support/world.ts';

const spec: CameraSpec = {
  ...{ name: 'door', source: 'rtsp://10.0.0.9/stream', pipeline: 'detect', model: 'tiny-detector' },
  ...{ targetFps: 5, parameters: {}, loop: false, labels: {} },
};

describe('a camera that is paused', () => {
  it('leaves its device, waits for none, and is taken up again when it is not paused any more', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const { cameras, health } = world.coordinator;
    const { id } = await world.clock.until(cameras.create(spec));
    await world.clock.advance(100);
    expect(cameras.get(id).device).toBe(device.id);
    await world.clock.until(cameras.update(id, { ...spec, paused: true }));
    await world.clock.advance(60_000);
    expect(cameras.get(id)).toMatchObject({ reason: 'it is paused', service: { met: true, detail: 'it is paused' } });
    expect(cameras.get(id).device).toBeUndefined();
    expect(device.cameras.size).toBe(0);
    expect(health().checks['cameras']).toMatchObject({ ok: true });
    await world.clock.until(cameras.update(id, spec));
    await world.clock.advance(1_000);
    expect(cameras.get(id).device).toBe(device.id);
    expect(device.cameras.has(id)).toBe(true);
  });

  it('stays paused over a restart', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const { id } = await world.clock.until(world.coordinator.cameras.create({ ...spec, paused: true }));
    await world.clock.advance(60_000);
    expect(world.disk.cameras.get(id)?.spec.paused).toBe(true);
    expect(device.cameras.size).toBe(0);
  });
});
