import { describe, expect, it } from 'vitest';
import { aProfile, aSpec } from '../support/builders.ts';
import { aModelSha256, goodOutcome, type ScriptedDevice } from '../support/scripted-device.ts';
import { aWorld, type World } from '../support/world.ts';

const aTokenThatAsks = async (world: World) => {
  const options = { uses: 10, lifetimeMs: 3_600_000, labels: { site: 'shop' }, approve: true };
  return (await world.clock.until(world.coordinator.tokens.create(options))).word;
};

/** A device that has shown such a token, and waits. */
async function aPendingDevice(world: World): Promise<ScriptedDevice> {
  const device = world.aDevice();
  await device.connect();
  await expect(world.clock.until(device.join(await aTokenThatAsks(world)))).rejects.toMatchObject({
    code: 'device.pending',
    message: expect.stringContaining('shoal devices approve pi'),
  });
  return device;
}

describe('a device that joins with a token that asks for approval', () => {
  it('is on the list, online and pending, with what it says of itself; after a crash too', async () => {
    const world = await aWorld();
    const device = await aPendingDevice(world);
    expect(world.coordinator.devices.list()).toMatchObject([
      { id: device.id, pending: true, presence: 'online', labels: { site: 'shop' }, capability: { hostName: 'pi' } },
    ]);
    expect(world.coordinator.health().devices).toEqual({ known: 0, online: 0 });
    await world.restartAfterCrash();
    expect(world.coordinator.devices.get(device.id)).toMatchObject({ pending: true });
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'device.pending' });
  });

  it('is no measure for devices of its kind, until it is approved', async () => {
    const world = await aWorld();
    const word = await aTokenThatAsks(world);
    const profiles = [aProfile({ model: 'tiny-detector', sha256: aModelSha256, p50Ms: 0.001, p95Ms: 0.001 })];
    const liars = Array.from({ length: 3 }, () => world.aDevice({ profiles }));
    for (const liar of liars) {
      await liar.connect();
      await expect(world.clock.until(liar.join(word))).rejects.toMatchObject({ code: 'device.pending' });
    }
    const input = await world.blob('a picture');
    const expectedOfAMember = async () => {
      const member = await world.joined({ profiles: [] });
      const { id } = await world.clock.until(
        world.coordinator.tasks.submit(
          aSpec({ pipeline: 'detect', model: 'tiny-detector', variant: 'int8', input, device: member.id }),
        ),
      );
      await world.clock.advance(1_000);
      const { attempts } = await world.clock.until(world.coordinator.tasks.get(id));
      return attempts[0]?.placement.chosen;
    };
    expect(await expectedOfAMember()).toMatchObject({ guessed: true });
    for (const { id } of liars) await world.clock.until(world.coordinator.devices.approve(id));
    expect(await expectedOfAMember()).not.toMatchObject({ guessed: true });
  });

  it('gets no work, and nothing that it says is believed', async () => {
    const world = await aWorld();
    const device = await aPendingDevice(world);
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec({ deadlineMs: 20_000 })));
    await world.clock.advance(5_000);
    expect(device.assignments).toEqual([]);
    device.telemetry({ telemetry: { batteryPct: 3 } });
    const made = goodOutcome(device.identity, {
      ...{ taskId: task.id, attemptId: 'att_1', pipeline: 'noop', model: '', variant: '', parametersJson: '' },
      ...{ inputDigest: new Uint8Array(), inputSizeBytes: 0, inputMediaType: '', timeLeftMs: 0, leaseMs: 0 },
    });
    await expect(world.clock.until(device.deliver(made), 1e6)).rejects.toMatchObject({ code: 'device.pending' });
    const blob = { blobRequest: { digest: new Uint8Array(32), offset: 0, length: 1 } };
    const asked = device.messenger.request(world.identity.id, blob, { timeoutMs: 5_000 });
    await expect(world.clock.until(asked)).rejects.toMatchObject({ code: 'device.pending' });
    expect(world.coordinator.devices.get(device.id).telemetry).toBeUndefined();
    expect(await world.ended(task.id)).toMatchObject({ state: 'expired', attempts: [] });
  });

  it('is offline on the list when it is silent', async () => {
    const world = await aWorld();
    const device = await aPendingDevice(world);
    await device.die();
    await world.clock.advance(13_000);
    expect(world.coordinator.devices.get(device.id)).toMatchObject({ pending: true, presence: 'offline' });
  });

  it('is in once it is approved, durably, and gets the work that waited with its next hello', async () => {
    const world = await aWorld();
    const device = await aPendingDevice(world);
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec()));
    const approved = await world.clock.until(world.coordinator.devices.approve(device.id));
    expect(approved.pending ?? false).toBe(false);
    await world.restartAfterCrash();
    await world.clock.until(device.hello());
    expect(await world.ended(task.id)).toMatchObject({ state: 'succeeded' });
    await expect(world.coordinator.devices.approve(device.id)).rejects.toMatchObject({ code: 'conflict' });
    await expect(world.coordinator.devices.reject(device.id)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('goes on waiting when its approval could not be recorded', async () => {
    const world = await aWorld();
    const device = await aPendingDevice(world);
    world.disk.failure = new Error('disk');
    await expect(world.clock.until(world.coordinator.devices.approve(device.id))).rejects.toMatchObject({
      code: 'io.failed',
    });
    world.disk.failure = undefined;
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'device.pending' });
    await world.clock.until(world.coordinator.devices.approve(device.id));
    await world.clock.until(device.hello());
  });

  it('waits as long as its approval is not durable, and goes on waiting when the coordinator crashes before', async () => {
    const world = await aWorld({ storeWriteMs: 50 });
    const device = await aPendingDevice(world);
    const approval = world.coordinator.devices.approve(device.id);
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'device.pending' });
    approval.catch(() => {});
    await world.restartAfterCrash();
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'device.pending' });
    expect(world.coordinator.devices.get(device.id)).toMatchObject({ pending: true });
  });

  it('is put out when it is revoked while its approval is being recorded', async () => {
    const world = await aWorld({ storeWriteMs: 50 });
    const device = await aPendingDevice(world);
    const both = [world.coordinator.devices.approve(device.id), world.coordinator.devices.revoke(device.id)];
    await world.clock.until(Promise.all(both));
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'device.revoked' });
    await world.restartAfterCrash();
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'device.revoked' });
    expect(world.coordinator.health().devices).toEqual({ known: 0, online: 0 });
  });

  it('is pending on the disk too when its approval failed while something else was recorded of it', async () => {
    const world = await aWorld({ storeWriteMs: 50 });
    const device = await aPendingDevice(world);
    world.disk.failure = new Error('disk');
    const approval = world.coordinator.devices.approve(device.id);
    await world.clock.advance(10);
    const renamed = world.coordinator.devices.update(device.id, { name: 'door' });
    await expect(world.clock.until(approval)).rejects.toMatchObject({ code: 'io.failed' });
    world.disk.failure = undefined;
    await world.clock.until(renamed);
    await world.clock.advance(1_000);
    await world.restartAfterCrash();
    expect(world.coordinator.devices.get(device.id)).toMatchObject({ name: 'door', pending: true });
  });

  it('can be rejected again when that could not be recorded', async () => {
    const world = await aWorld();
    const device = await aPendingDevice(world);
    world.disk.failure = new Error('disk');
    const { devices } = world.coordinator;
    await expect(world.clock.until(devices.reject(device.id))).rejects.toMatchObject({ code: 'io.failed' });
    world.disk.failure = undefined;
    await world.clock.until(devices.reject(device.id));
    await world.restartAfterCrash();
    await expect(world.clock.until(device.hello())).rejects.toMatchObject({ code: 'device.revoked' });
  });

  it('takes no place in the fleet any more once it is rejected, after a restart too', async () => {
    const world = await aWorld({ config: { deviceLimit: 1 } });
    const rejected = await aPendingDevice(world);
    const late = world.aDevice();
    await late.connect();
    const word = await world.token();
    await expect(world.clock.until(late.join(word))).rejects.toMatchObject({ code: 'queue.full' });
    await world.clock.until(world.coordinator.devices.reject(rejected.id));
    await world.restart();
    await world.clock.until(late.join(word));
    expect(world.coordinator.health().devices.known).toBe(1);
  });

  it('is refused for good once it is rejected, with the same token too', async () => {
    const world = await aWorld();
    const device = await aPendingDevice(world);
    await world.clock.until(world.coordinator.devices.reject(device.id));
    const again = device.join(await aTokenThatAsks(world));
    await expect(world.clock.until(again)).rejects.toMatchObject({
      code: 'device.revoked',
      message: expect.stringContaining('rejected'),
    });
    expect(world.coordinator.devices.get(device.id)).toMatchObject({ pending: true, revoked: true });
    await expect(world.coordinator.devices.approve(device.id)).rejects.toMatchObject({ code: 'conflict' });
  });
});
