import { describe, expect, it, vi } from 'vitest';
import type { CameraSpec } from '../../src/domain/index.ts';
import { aProfile } from '../support/builders.ts';
import { aCameraReport, aModelSha256, type ScriptedDevice } from '../support/scripted-device.ts';
import { aWorld, type World } from '../support/world.ts';

const aSpec = (change: Partial<CameraSpec> = {}): CameraSpec => ({
  name: 'door',
  source: 'rtsp://user:secret@10.0.0.9/stream',
  pipeline: 'detect',
  model: 'tiny-detector',
  targetFps: 5,
  parameters: { minScore: 0.4 },
  loop: false,
  labels: {},
  ...change,
});

const create = (world: World, change: Partial<CameraSpec> = {}) =>
  world.clock.until(world.coordinator.cameras.create(aSpec(change)));
const profile = (p50Ms: number) => [aProfile({ model: 'tiny-detector', sha256: aModelSha256, p50Ms })];

describe('a camera', () => {
  it('is durable when it is created, and given to the device that is quickest per frame', async () => {
    const world = await aWorld();
    await world.joined({ profiles: profile(60) });
    const quick = await world.joined({ profiles: profile(15) });
    const camera = await create(world);
    expect(world.disk.cameras.get(camera.id)?.spec).toEqual(aSpec());
    await world.clock.advance(100);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({
      device: quick.id,
      reason: expect.stringContaining('16.4 ms per frame'),
    });
    expect(quick.cameras.get(camera.id)).toMatchObject({
      source: 'rtsp://user:secret@10.0.0.9/stream',
      pipeline: 'detect',
      model: 'tiny-detector',
      variant: 'int8',
      targetFps: 5,
      parametersJson: '{"minScore":0.4}',
    });
  });

  it('waits for a device, says why, and is given to the first that comes', async () => {
    const world = await aWorld();
    const camera = await create(world);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({ reason: 'no device has joined' });
    expect(world.coordinator.health().checks['cameras']).toMatchObject({ ok: false });
    const device = await world.joined();
    await world.clock.advance(100);
    expect(world.coordinator.cameras.get(camera.id).device).toBe(device.id);
    expect(world.coordinator.health().status).toBe('ok');
  });

  it('is looked after once in a while, however often a fleet reports', async () => {
    const world = await aWorld();
    const device = await world.joined();
    await create(world);
    const after = vi.spyOn(world.clock, 'after');
    for (let ms = 0; ms < 300; ms++) {
      device.telemetry();
      await world.clock.advance(1);
    }
    const looks = after.mock.calls.filter(([name]) => name === 'cameras: look again').length;
    expect(looks).toBeGreaterThan(2);
    expect(looks).toBeLessThan(10);
  });

  it('goes where cameras take least: they are spread over equal devices', async () => {
    const world = await aWorld();
    const devices = [await world.joined({ profiles: profile(50) }), await world.joined({ profiles: profile(50) })];
    for (let n = 0; n < 6; n++) await create(world, { name: `camera ${n}` });
    await world.clock.advance(100);
    expect(devices.map(({ cameras }) => cameras.size)).toEqual([3, 3]);
  });

  it('stays on its device when it is changed, and the newest revision wins', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const camera = await create(world);
    await world.clock.advance(100);
    const before = device.cameras.get(camera.id)?.revision ?? 0;
    const changed = await world.clock.until(world.coordinator.cameras.update(camera.id, aSpec({ targetFps: 2 })));
    await world.clock.advance(100);
    expect(changed.revision).toBeGreaterThan(before);
    expect(device.cameras.get(camera.id)).toMatchObject({ targetFps: 2, revision: changed.revision });
    expect(device.removedCameras).toEqual([]);
  });

  it('says that it is a guess what a model needs that its device has not measured', async () => {
    const world = await aWorld();
    await world.joined({ profiles: [] });
    const camera = await create(world, { targetFps: 7 });
    await world.clock.advance(100);
    expect(world.coordinator.cameras.get(camera.id).reason).toBe(
      'a guess of 250 ms per frame, until its device has measured the model, for 7 frames per second',
    );
  });

  it('says what it needs now, runs the variant that is asked for now, and weighs on its device as it does now', async () => {
    const world = await aWorld();
    const profiles = ['int8', 'float32'].map((variant, i) =>
      aProfile({ model: 'tiny-detector', variant, sha256: aModelSha256, p50Ms: 10 + 90 * i, p95Ms: 10 + 90 * i }),
    );
    const device = await world.joined({ profiles });
    const camera = await create(world, { targetFps: 20 });
    await world.clock.advance(100);
    const change = async (spec: Partial<CameraSpec>) => {
      await world.clock.until(world.coordinator.cameras.update(camera.id, aSpec(spec)));
      await world.clock.advance(100);
      return world.coordinator.cameras.get(camera.id).reason;
    };
    expect(await change({ targetFps: 7 })).toBe('expected to need 10.0 ms per frame for 7 frames per second');
    const slow = await change({ targetFps: 7, variant: 'float32' });
    expect(slow).toBe('expected to need 100.0 ms per frame for 7 frames per second');
    expect(device.cameras.get(camera.id)).toMatchObject({ variant: 'float32', targetFps: 7 });
    await change({ targetFps: 1 });
    const busier = await world.joined({ profiles });
    await create(world, { name: 'bound', device: busier.id, targetFps: 5 });
    const next = await create(world, { name: 'next' });
    await world.clock.advance(100);
    expect(world.coordinator.cameras.get(next.id).device).toBe(device.id);
  });

  it('is refused with what it may be read from when that is something else', async () => {
    const world = await aWorld();
    await expect(create(world, { source: 'ftp://u:secret@10.0.0.9/clip.mp4' })).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringMatching(
        /^source: .*rtsp:\/\/.* or a file, or sends its pictures itself \(push:\), not from ftp:$/,
      ),
    });
  });

  it('moves when what is asked for fits its device no more', async () => {
    const world = await aWorld();
    const hall = await world.joined({}, { room: 'hall' });
    const camera = await create(world);
    await world.clock.advance(100);
    const attic = await world.joined({}, { room: 'attic' });
    await world.clock.until(world.coordinator.cameras.update(camera.id, aSpec({ labels: { room: 'attic' } })));
    await world.clock.advance(100);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({ device: attic.id, formerDevices: [hall.id] });
    expect(hall.removedCameras).toEqual([camera.id]);
    expect([...attic.cameras.keys()]).toEqual([camera.id]);
  });

  it('ends on its device when it is removed', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const camera = await create(world);
    await world.clock.advance(100);
    await world.clock.until(world.coordinator.cameras.remove(camera.id));
    await world.clock.advance(100);
    expect(device.cameras.size).toBe(0);
    expect(() => world.coordinator.cameras.get(camera.id)).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(world.disk.cameras.size).toBe(0);
  });

  it('is given to another device when its own is gone for too long, and taken off the first when that is back', async () => {
    const world = await aWorld();
    const first = await world.joined({ profiles: profile(10) });
    const camera = await create(world);
    await world.clock.advance(100);
    const second = await world.joined({ profiles: profile(50) });
    await first.die();
    await world.clock.advance(15_000);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({ device: second.id, formerDevices: [first.id] });
    const back = first.again();
    back.cameras.set(camera.id, firstAssignment(first, camera.id));
    await back.connect();
    await world.clock.until(back.hello());
    await world.clock.advance(100);
    expect(back.removedCameras).toEqual([camera.id]);
    expect(second.cameras.size).toBe(1);
  });

  it('goes on undisturbed on a device that was cut off, when nobody else could take it', async () => {
    const world = await aWorld();
    const first = await world.joined();
    const camera = await create(world);
    await world.clock.advance(100);
    await first.die();
    await world.clock.advance(15_000);
    expect(world.coordinator.cameras.get(camera.id).device).toBeUndefined();
    const back = first.again();
    back.cameras.set(camera.id, firstAssignment(first, camera.id));
    await back.connect();
    await world.clock.until(back.hello());
    await world.clock.advance(100);
    expect(world.coordinator.cameras.get(camera.id).device).toBe(first.id);
    expect(back.removedCameras).toEqual([]);
    expect(back.cameras.get(camera.id)?.revision).toBe(firstAssignment(first, camera.id).revision);
  });

  it('is offered elsewhere when a device refuses it, and to that one again after a while', async () => {
    const world = await aWorld();
    const shy = await world.joined({ profiles: profile(10) });
    shy.admitCamera = () => {
      throw new Error('no room');
    };
    const other = await world.joined({ profiles: profile(50) });
    const camera = await create(world);
    await world.clock.advance(200);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({ device: other.id });
    await other.die();
    shy.admitCamera = () => {};
    await world.clock.advance(60_000);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({ device: shy.id });
  });

  it('is given to another when its device reports and never answers, and stays when it has it and only the answer is lost', async () => {
    const world = await aWorld();
    const deaf = await world.joined({ profiles: profile(10) });
    deaf.admitCamera = () => new Promise(() => {});
    const other = await world.joined({ profiles: profile(50) });
    const camera = await create(world);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({ device: deaf.id });
    await world.clock.advance(60_000);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({ device: other.id });

    other.admitCamera = deaf.admitCamera;
    other.tells = () => ({ cameras: [{ cameraId: camera.id, state: 'running' }] });
    await world.clock.until(world.coordinator.cameras.update(camera.id, { ...camera.spec, targetFps: 2 }));
    await world.clock.advance(60_000);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({ device: other.id });
  });

  it('leaves a device that is drained', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const camera = await create(world);
    await world.clock.advance(100);
    await world.clock.until(world.coordinator.devices.update(device.id, { draining: true }));
    await world.clock.advance(100);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({ reason: expect.stringContaining('drained') });
    expect(device.removedCameras).toEqual([camera.id]);
  });

  it('is where it was after the coordinator was killed, and its device hears nothing new', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const camera = await create(world);
    await world.clock.advance(1_000);
    const assigned = device.cameras.get(camera.id);
    await world.restartAfterCrash();
    await world.clock.until(device.hello());
    await world.clock.advance(5_000);
    expect(world.coordinator.cameras.get(camera.id)).toMatchObject({ device: device.id });
    expect(device.cameras.get(camera.id)).toBe(assigned);
    expect(device.removedCameras).toEqual([]);
  });

  it('never uses a revision twice, whenever the coordinator is killed', async () => {
    const world = await aWorld({ storeWriteMs: 5 });
    const device = await world.joined();
    const camera = await create(world);
    await world.clock.advance(20);
    const assigned = device.cameras.get(camera.id)?.revision ?? 0;
    expect(assigned).toBeGreaterThan(0);
    await world.restartAfterCrash();
    expect(world.coordinator.cameras.get(camera.id).revision).toBeGreaterThanOrEqual(assigned);
  });

  it('shows what its device says of it', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const camera = await create(world);
    await world.clock.advance(100);
    device.telemetry({ telemetry: { cameras: [{ cameraId: camera.id, state: 'running', fps: 4.9, frames: 100 }] } });
    await world.clock.advance(10);
    expect(world.coordinator.cameras.list()).toMatchObject([{ id: camera.id, status: { state: 'running', fps: 4.9 } }]);
  });

  it.each([
    [{ pipeline: 'noop', model: undefined }, 'input.invalid'],
    [{ pipeline: 'guess' }, 'input.invalid'],
    [{ model: 'yolo' }, 'model.unknown'],
    [{ source: '' }, 'input.invalid'],
    [{ source: 'concat:a.mp4|/etc/passwd' }, 'input.invalid'],
    [{ source: `rtsp://${'x'.repeat(3_000)}` }, 'input.invalid'],
    [{ targetFps: 0 }, 'input.invalid'],
    [{ targetFps: Number.NaN }, 'input.invalid'],
    [{ targetFps: 1_000 }, 'input.invalid'],
    [{ priority: 10 }, 'input.invalid'],
    [{ priority: 1.5 }, 'input.invalid'],
    [{ priority: Number.NaN }, 'input.invalid'],
    [{ p95Ms: 0 }, 'input.invalid'],
    [{ p95Ms: Number.NaN }, 'input.invalid'],
    [{ substream: 'concat:a.mp4|/etc/passwd' }, 'input.invalid'],
    [{ name: '' }, 'input.invalid'],
    [{ labels: { '?': 'x' } }, 'input.invalid'],
    [{ parameters: { x: 'y'.repeat(20_000) } }, 'input.invalid'],
    [{ parameters: { x: '\ud800' } }, 'input.invalid'],
    [{ parameters: { x: JSON.parse('['.repeat(200) + ']'.repeat(200)) } }, 'input.invalid'],
  ])('is refused with %j', async (change, code) => {
    const world = await aWorld();
    const { model, ...spec } = { ...aSpec(), ...change };
    const asked = { ...spec, ...(model !== undefined && { model }) };
    await expect(world.coordinator.cameras.create(asked)).rejects.toMatchObject({ code });
    expect(world.coordinator.cameras.list()).toEqual([]);
  });

  it('is refused when there are too many', async () => {
    const world = await aWorld({ config: { cameraLimit: 1 } });
    await create(world);
    await expect(world.coordinator.cameras.create(aSpec())).rejects.toMatchObject({ code: 'queue.full' });
  });
});

describe('a report of a camera', () => {
  async function watching() {
    const world = await aWorld();
    const device = await world.joined();
    const camera = await create(world);
    await world.clock.advance(100);
    const report = (number: number, from = device, output?: Uint8Array) =>
      world.clock.until(
        from.messenger.request(
          world.identity.id,
          { cameraReport: aCameraReport(from.identity, camera.id, number, 'detect', output) },
          { timeoutMs: 30_000 },
        ),
      );
    const numbers = async () =>
      (await world.coordinator.results.ofCamera(camera.id, { limit: 100 })).items.map(({ work }) =>
        'report' in work ? work.report : 0,
      );
    return { world, device, camera, report, numbers };
  }

  it('is durable when it is acknowledged, and told to those who follow', async () => {
    const { world, camera, report, numbers } = await watching();
    const enough = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { record, result } of world.coordinator.results.watch({ camera: camera.id }, enough.signal)) {
        seen.push('report' in record.work ? record.work.report : 0);
        expect(result).toMatchObject({ kind: 'detections' });
      }
    })();
    await report(1);
    await report(2);
    expect(await numbers()).toEqual([2, 1]);
    expect(seen).toEqual([1, 2]);
    enough.abort();
    await following;
  });

  it('is kept once, however often and in whatever order it comes, after a restart too', async () => {
    const { world, device, report, numbers } = await watching();
    for (const number of [3, 1, 3, 2, 1]) await report(number);
    await world.restartAfterCrash();
    await world.clock.until(device.hello());
    for (const number of [2, 4, 3]) await report(number);
    expect((await numbers()).sort()).toEqual([1, 2, 3, 4]);
    expect(world.coordinator.statistics()).toMatchObject({ resultsKept: 1, resultsDropped: 2 });
  });

  it('is taken from a device that had the camera before', async () => {
    const { world, device, camera, report, numbers } = await watching();
    await world.joined();
    await world.clock.until(world.coordinator.devices.update(device.id, { draining: true }));
    await world.clock.advance(100);
    expect(world.coordinator.cameras.get(camera.id).device).not.toBe(device.id);
    await report(1);
    expect(await numbers()).toEqual([1]);
  });

  it('is refused from a device that never had it', async () => {
    const { world, report, numbers } = await watching();
    const stranger = await world.joined();
    await expect(report(1, stranger)).rejects.toMatchObject({ code: 'message.misaddressed' });
    expect(await numbers()).toEqual([]);
  });

  it('is refused when it is signed by another device, or has no number', async () => {
    const { world, device, camera, report } = await watching();
    const other = await world.joined();
    const forged = aCameraReport(other.identity, camera.id, 1);
    const sent = device.messenger.request(world.identity.id, { cameraReport: forged }, { timeoutMs: 30_000 });
    await expect(world.clock.until(sent)).rejects.toMatchObject({ code: 'attestation.invalid' });
    await expect(report(0)).rejects.toMatchObject({ code: 'input.invalid' });
    expect(world.coordinator.statistics().resultsRefused).toBe(1);
  });

  it('keeps its statement when the device had to give up what it is about', async () => {
    const { world, device, camera, numbers } = await watching();
    const shed = { ...aCameraReport(device.identity, camera.id, 7), result: new Uint8Array() };
    await world.clock.until(device.messenger.request(world.identity.id, { cameraReport: shed }, { timeoutMs: 30_000 }));
    expect(await numbers()).toEqual([7]);
    const tampered = { ...shed, number: 8 };
    const sent = device.messenger.request(world.identity.id, { cameraReport: tampered }, { timeoutMs: 30_000 });
    await expect(world.clock.until(sent)).rejects.toMatchObject({ code: 'attestation.invalid' });
  });

  it('of a camera that was removed is acknowledged and dropped', async () => {
    const { world, camera, report, numbers } = await watching();
    await world.clock.until(world.coordinator.cameras.remove(camera.id));
    await report(1);
    expect(await numbers()).toEqual([]);
  });
});

function firstAssignment(device: ScriptedDevice, cameraId: string) {
  const assignment = device.cameras.get(cameraId);
  if (!assignment) throw new Error('the camera was not assigned');
  return assignment;
}
