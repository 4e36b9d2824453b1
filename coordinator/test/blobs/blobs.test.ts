import { ShoalError } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aSpec } from '../support/builders.ts';
import { goodOutcome, never } from '../support/scripted-device.ts';
import { aWorld, type World } from '../support/world.ts';

const dayMs = 86_400_000;
const isThere = async (world: World, digest: string) => (await world.coordinator.blobs.stat(digest)) !== undefined;

describe('a blob', () => {
  it('is there by its digest when it is put, and the same bytes are kept once', async () => {
    const world = await aWorld();
    const first = await world.blob('a picture');
    expect(await world.blob('a picture')).toEqual(first);
    expect(await world.coordinator.blobs.stat(first.digest)).toEqual(first);
    expect(Buffer.from(await world.coordinator.blobs.read(first.digest, { offset: 2, length: 3 })).toString()).toBe(
      'pic',
    );
    await expect(world.coordinator.blobs.read('0'.repeat(64))).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each(['', 'picture', 'image/<x>', `image/${'x'.repeat(200)}`])(
    'is refused with the media type %j',
    async (mediaType) => {
      const world = await aWorld();
      async function* none() {}
      await expect(world.coordinator.blobs.put(none(), mediaType, never)).rejects.toMatchObject({
        code: 'input.invalid',
      });
    },
  );

  it('is refused when it is too large or the disk is full', async () => {
    const world = await aWorld({ config: { blobLimitBytes: 5 } });
    await expect(world.blob('too large')).rejects.toMatchObject({ code: 'input.too-large' });
    world.blobs.failure = new ShoalError('io.disk-full', 'full');
    await expect(world.blob('x')).rejects.toMatchObject({ code: 'io.disk-full' });
  });

  it('that nothing needs is deleted after its time', async () => {
    const world = await aWorld();
    const { digest } = await world.blob('soon forgotten');
    await world.clock.advance(dayMs / 2);
    expect(await isThere(world, digest)).toBe(true);
    await world.clock.advance(dayMs);
    expect(await isThere(world, digest)).toBe(false);
    expect(await world.blobs.read(digest)).toBeUndefined();
  });

  it('that a live task needs is kept for as long as it lives, then for its time', async () => {
    const ageMs = 3_600_000;
    const world = await aWorld({ config: { unusedBlobAgeMs: ageMs } });
    const input = await world.blob('needed');
    const spec = aSpec({ pipeline: 'detect', model: 'tiny-detector', input, deadlineMs: 5 * ageMs });
    const task = await world.clock.until(world.coordinator.tasks.submit(spec));
    await world.clock.advance(3 * ageMs);
    expect(await isThere(world, input.digest)).toBe(true);
    await world.restartAfterCrash();
    await world.clock.advance(ageMs);
    const device = await world.joined();
    device.work = (assignment) => goodOutcome(device.identity, assignment);
    expect((await world.ended(task.id)).state).toBe('succeeded');
    await world.clock.advance(ageMs / 2);
    expect(await isThere(world, input.digest)).toBe(true);
    await world.clock.advance(ageMs);
    expect(await isThere(world, input.digest)).toBe(false);
  });

  it('is not there because somebody asked for it in vain', async () => {
    const world = await aWorld();
    const input = { digest: 'b'.repeat(64), sizeBytes: 1, mediaType: 'image/png' };
    await expect(
      world.clock.until(world.coordinator.tasks.submit(aSpec({ pipeline: 'detect', model: 'tiny-detector', input }))),
    ).rejects.toMatchObject({ code: 'not-found' });
    await world.clock.advance(1_000);
    expect(world.disk.blobs.size).toBe(0);
  });

  it('whose record was lost in a crash is deleted at the next start', async () => {
    const world = await aWorld();
    async function* content() {
      yield Buffer.from('an orphan');
    }
    const draft = await world.blobs.write(content(), 100, never);
    await draft.keep();
    const known = await world.blob('known');
    await world.restart();
    await world.clock.advance(100);
    expect(await world.blobs.read(draft.digest)).toBeUndefined();
    expect(await world.blobs.read(known.digest)).toBeDefined();
  });
});

describe('a device that asks for a piece of a blob', () => {
  it.each([
    [{ digest: Buffer.from('ab', 'hex'), offset: 0, length: 1 }, 'not-found'],
    [{ digest: Buffer.alloc(32), offset: 0, length: 1 }, 'not-found'],
  ])('is told what is wrong with %j', async (blobRequest, code) => {
    const world = await aWorld();
    const device = await world.joined();
    const asked = device.messenger.request(world.identity.id, { blobRequest }, { timeoutMs: 1_000 });
    await expect(world.clock.until(asked)).rejects.toMatchObject({ code });
  });

  it('gets no more than a piece at once', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const { digest } = await world.blob('y'.repeat(700_000));
    const blobRequest = { digest: Buffer.from(digest, 'hex'), offset: 0, length: 1e9 };
    const reply = await world.clock.until(
      device.messenger.request(world.identity.id, { blobRequest }, { timeoutMs: 1_000 }),
    );
    expect(reply.attachments[0]).toHaveLength(524_288);
    expect(reply.payload).toMatchObject({ kind: 'blobChunk', value: { totalBytes: 700_000 } });
  });

  it('is refused more pieces at once than one device may have under way, and served when it asks again', async () => {
    const world = await aWorld();
    const greedy = await world.joined();
    const modest = await world.joined();
    const { digest } = await world.blob('y'.repeat(100));
    const ask = (device: typeof greedy, offset: number) => {
      const blobRequest = { digest: Buffer.from(digest, 'hex'), offset, length: 1 };
      return device.messenger.request(world.identity.id, { blobRequest }, { timeoutMs: 1_000 });
    };
    const asked = Promise.allSettled(Array.from({ length: 40 }, (_, offset) => ask(greedy, offset)));
    const other = ask(modest, 0);
    const answers = await world.clock.until(asked);
    const refused = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason);
    expect(refused).toHaveLength(40 - 32);
    expect(refused[0]).toMatchObject({ code: 'queue.full', retryable: true });
    expect((await world.clock.until(other)).attachments[0]).toHaveLength(1);
    expect((await world.clock.until(ask(greedy, 39))).attachments[0]).toHaveLength(1);
  });
});
