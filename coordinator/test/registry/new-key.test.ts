import { type Link, sealSuccession } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aCameraReport, never, type ScriptedDevice } from '../support/scripted-device.ts';
import { aWorld, type World } from '../support/world.ts';

/** The same machine with another key: it uses the sequences of the one before. */
async function withNewKey(world: World, device: ScriptedDevice, link?: (id: string) => Link) {
  const next = world.aDevice({ sequences: device.sequences, ...(link && { link }) });
  next.pin(await world.token());
  await next.connect();
  const sequence = await device.sequences.reserve(1);
  const word = { recipient: world.identity.id, sequence, sentAtMs: world.clock.nowMs() };
  return { next, succession: sealSuccession(device.identity, next.identity, word) };
}

describe('a device that says hello with a new key, and the word of its old one', () => {
  it('is what it was, and the old key is refused and cut off', async () => {
    const cut: string[] = [];
    const world = await aWorld({ cut: (device) => cut.push(device) });
    const device = await world.joined({}, { site: 'shop' });
    await world.clock.until(world.coordinator.devices.update(device.id, { name: 'door', draining: true }));
    const { next, succession } = await withNewKey(world, device);
    expect(await world.clock.until(next.hello({ succession }))).toMatchObject({
      deviceName: 'door',
      labels: { site: 'shop' },
    });
    expect(cut).toEqual([device.id]);
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({
      code: 'device.revoked',
      message: expect.stringContaining('has a new key since'),
    });
    await world.restartAfterCrash();
    expect(world.coordinator.devices.get(next.id)).toMatchObject({
      ...{ name: 'door', draining: true, revoked: false },
      follows: { device: device.id, proof: Uint8Array.from(succession) },
    });
    expect(world.coordinator.devices.get(device.id)).toMatchObject({ revoked: true, followedBy: next.id });
    await world.clock.until(next.hello({ succession }));
  });

  it('says so several times at once, and is one device', async () => {
    const world = await aWorld({ storeWriteMs: 50 });
    const device = await world.joined();
    const { next, succession } = await withNewKey(world, device);
    await world.clock.until(Promise.all([next.hello({ succession }), next.hello({ succession })]));
    expect(world.coordinator.devices.list()).toHaveLength(2);
  });

  it('stays the old one when that could not be recorded, and is asked again', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const { next, succession } = await withNewKey(world, device);
    world.disk.failure = new Error('disk');
    await expect(world.clock.until(next.hello({ succession }))).rejects.toMatchObject({ code: 'io.failed' });
    world.disk.failure = undefined;
    expect(world.coordinator.devices.list()).toMatchObject([{ id: device.id, revoked: false, presence: 'online' }]);
    await world.clock.until(next.hello({ succession }));
    expect(world.coordinator.devices.get(next.id)).toMatchObject({ presence: 'online' });
  });

  it('is not believed once the old key has spoken again: who recorded it on the network has nothing', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const { next, succession } = await withNewKey(world, device);
    await device.die();
    const again = device.again();
    await again.connect();
    await world.clock.until(again.hello());
    await expect(world.clock.until(next.hello({ succession }))).rejects.toMatchObject({ code: 'message.replayed' });
    expect(world.coordinator.devices.list()).toMatchObject([{ id: device.id, revoked: false }]);
  });

  it('cannot take the place of a device that was revoked, that waits for approval, or that has another key already', async () => {
    const world = await aWorld();
    const revoked = await world.joined();
    await world.clock.until(world.coordinator.devices.revoke(revoked.id));
    const first = await withNewKey(world, revoked);
    await expect(world.clock.until(first.next.hello(first))).rejects.toMatchObject({ code: 'device.revoked' });

    const copied = await world.joined();
    const [mine, thiefs] = [await withNewKey(world, copied), await withNewKey(world, copied)];
    await world.clock.until(mine.next.hello(mine));
    await expect(world.clock.until(thiefs.next.hello(thiefs))).rejects.toMatchObject({ code: 'device.revoked' });
  });

  it('goes on waiting for approval under its new key', async () => {
    const world = await aWorld();
    const asks = { uses: 1, lifetimeMs: 60_000, labels: {}, approve: true };
    const { word } = await world.clock.until(world.coordinator.tokens.create(asks));
    const device = world.aDevice();
    await device.connect();
    await expect(world.clock.until(device.join(word))).rejects.toMatchObject({ code: 'device.pending' });
    const { next, succession } = await withNewKey(world, device);
    await expect(world.clock.until(next.hello({ succession }))).rejects.toMatchObject({ code: 'device.pending' });
    await world.clock.until(world.coordinator.devices.approve(next.id));
    await world.clock.until(next.hello());
  });

  it.each([
    ['and is then recorded', undefined],
    ['which then fails', new Error('disk')],
  ])('is put out under either key when it is revoked while the new one is being recorded, %s', async (_, failure) => {
    const world = await aWorld({ storeWriteMs: 50 });
    const device = await world.joined();
    const { next, succession } = await withNewKey(world, device);
    const change = next.hello({ succession });
    change.catch(() => {});
    while (!world.coordinator.devices.get(device.id).revoked) await world.clock.advance(1);
    world.disk.failure = failure;
    const revoked = world.coordinator.devices.revoke(device.id);
    await world.clock.advance(60);
    world.disk.failure = undefined;
    await world.clock.until(revoked.catch(() => world.coordinator.devices.revoke(device.id)));
    for (const again of [() => device.hello(), () => next.hello({ succession })])
      await expect(world.clock.until(again())).rejects.toMatchObject({ code: 'device.revoked' });
    await world.restartAfterCrash();
    for (const again of [() => device.hello(), () => next.hello({ succession })])
      await expect(world.clock.until(again())).rejects.toMatchObject({ code: 'device.revoked' });
    expect(world.coordinator.health().devices.known).toBe(0);
  });

  it('is no new member: a fleet that is full takes it, and counts it once', async () => {
    const world = await aWorld({ config: { deviceLimit: 2 } });
    const device = await world.joined();
    await world.joined();
    const { next, succession } = await withNewKey(world, device);
    await world.clock.until(next.hello({ succession }));
    const late = world.aDevice();
    await late.connect();
    await expect(world.clock.until(late.join(await world.token()))).rejects.toMatchObject({ code: 'queue.full' });
    await world.restart();
    await expect(world.clock.until(late.hello())).rejects.toMatchObject({ code: 'device.unknown' });
  });

  it('joins by its token when the coordinator does not know its old key', async () => {
    const world = await aWorld();
    const { next, succession } = await withNewKey(world, world.aDevice());
    await expect(world.clock.until(next.hello({ succession }))).rejects.toMatchObject({ code: 'device.unknown' });
    const word = await world.token();
    await world.clock.until(next.join(word, { succession }));
    expect(world.coordinator.devices.list()).toMatchObject([{ id: next.id }]);
  });

  it('brings what the camera saw that its old key was given, and its new one signed before anybody had heard of it', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const spec = { name: 'door', source: 'rtsp://x/', pipeline: 'detect', model: 'tiny-detector', targetFps: 1 };
    const made = world.coordinator.cameras.create({ ...spec, parameters: {}, loop: false, labels: {} });
    const { id } = await world.clock.until(made);
    await world.clock.advance(1_000);
    const { next, succession } = await withNewKey(world, device);
    await world.clock.until(next.hello({ succession }));
    const report = aCameraReport(next.identity, id, 1);
    await world.clock.until(next.messenger.request(world.identity.id, { cameraReport: report }, { timeoutMs: 5_000 }));
    const { items } = await world.clock.until(world.coordinator.results.ofCamera(id, { limit: 10 }));
    expect(items).toMatchObject([{ device: next.id }]);
  });

  it('brings what its old key has signed: a report is kept as that one’s, once, and can be verified', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const spec = { name: 'door', source: 'rtsp://x/', pipeline: 'detect', model: 'tiny-detector', targetFps: 1 };
    const made = world.coordinator.cameras.create({ ...spec, parameters: {}, loop: false, labels: {} });
    const { id } = await world.clock.until(made);
    await world.clock.advance(1_000);
    expect(world.coordinator.cameras.get(id).device).toBe(device.id);
    const { next, succession } = await withNewKey(world, device);
    await world.clock.until(next.hello({ succession }));
    const report = aCameraReport(device.identity, id, 1);
    const bring = () => next.messenger.request(world.identity.id, { cameraReport: report }, { timeoutMs: 5_000 });
    await world.clock.until(bring());
    await world.clock.until(bring());
    const { items } = await world.clock.until(world.coordinator.results.ofCamera(id, { limit: 10 }));
    expect(items).toMatchObject([{ device: device.id }]);
    // Of a stranger's key it is not believed, whoever brings it.
    const forged = aCameraReport(world.aDevice().identity, id, 2);
    const brought = next.messenger.request(world.identity.id, { cameraReport: forged }, { timeoutMs: 5_000 });
    await expect(world.clock.until(brought)).rejects.toThrow();
  });
});

describe('a device that is revoked', () => {
  it('is cut off at once, and again after it was told so when it comes back', async () => {
    const cut: number[] = [];
    const world: World = await aWorld({ cut: () => cut.push(world.clock.monotonicMs()) });
    const device = await world.joined();
    await world.clock.until(world.coordinator.devices.revoke(device.id));
    expect(cut).toHaveLength(1);
    await device.link.stop();
    await device.link.start(never);
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'device.revoked' });
    expect(cut).toHaveLength(1);
    await world.clock.advance(5_000);
    expect(cut).toHaveLength(2);
  });
});
