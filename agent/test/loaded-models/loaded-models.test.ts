import { LoadedModels, type LoadedModelsOptions } from '@shoal/agent';
import { createSimulatedEngine } from '@shoal/models';
import { ShoalError, silentLogger } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { never, tinyDetector } from '../support/a-fleet.ts';

const megabyte = 1024 * 1024;

/** Models named a, b, c ..., each of 100 MB. */
function aCache(options: Partial<LoadedModelsOptions> = {}) {
  const clock = new VirtualClock();
  let resolved = 0;
  let broken = false;
  let freeBytes: number | undefined;
  const models = new LoadedModels(
    {
      engines: [
        createSimulatedEngine({ clock }, { concurrency: 1, queueLimit: 4, loadMs: () => 50, inferenceMs: () => 1 }),
      ],
      shelf: {
        knows: () => true,
        async resolve(name) {
          resolved += 1;
          if (broken) throw new ShoalError('net.unreachable', 'no network');
          const [variant] = tinyDetector.variants;
          if (!variant) throw new Error('no variant');
          return { manifest: { ...tinyDetector, name }, variant, path: '' };
        },
        held: async () => [],
      },
      clock,
      logger: silentLogger,
      measuredBytes: () => 100 * megabyte,
      freeBytes: async () => freeBytes,
    },
    { mostBytes: 250 * megabyte, ...options },
  );
  const acquire = (name: string, signal: AbortSignal = never) => clock.until(models.acquire(name, 'v', signal));
  return {
    clock,
    models,
    acquire,
    breakIt: (is: boolean) => {
      broken = is;
    },
    resolved: () => resolved,
    haveFree: (bytes: number | undefined) => {
      freeBytes = bytes;
    },
  };
}

describe('loaded models', () => {
  it('are loaded once for all who ask at the same time', async () => {
    const { clock, models, resolved } = aCache();
    const [one, two] = await clock.until(
      Promise.all([models.acquire('a', 'v', never), models.acquire('a', 'v', never)]),
    );
    expect(one?.model).toBe(two?.model);
    expect(resolved()).toBe(1);
    expect(one?.waitedMs).toBe(50);
  });

  it('make room by giving up the least recently used', async () => {
    const { models, acquire } = aCache();
    for (const name of ['a', 'b', 'a', 'c']) (await acquire(name)).release();
    expect(models.loaded).toEqual(['a/v', 'c/v']);
  });

  it('are never given up while somebody uses them: the next waits', async () => {
    const { clock, models, acquire } = aCache();
    const a = await acquire('a');
    await acquire('b');
    let third = false;
    const c = models.acquire('c', 'v', never).then(() => {
      third = true;
    });
    await clock.advance(10_000);
    expect(third).toBe(false);
    a.release();
    await clock.until(c);
    expect(models.loaded).toEqual(['b/v', 'c/v']);
  });

  it('who waits for room can give up', async () => {
    const { models, acquire } = aCache();
    await acquire('a');
    await acquire('b');
    const gone = new AbortController();
    const waiting = models.acquire('c', 'v', gone.signal);
    gone.abort(new ShoalError('work.cancelled', 'not needed'));
    await expect(waiting).rejects.toMatchObject({ code: 'work.cancelled' });
  });

  it('are unloaded when nobody used them for a while', async () => {
    const { clock, models, acquire } = aCache({ idleMs: 1000 });
    const lease = await acquire('a');
    await clock.advance(5000);
    expect(models.loaded).toEqual(['a/v']);
    lease.release();
    lease.release();
    await clock.advance(999);
    expect(models.loaded).toEqual(['a/v']);
    await clock.advance(1);
    expect(models.loaded).toEqual([]);
  });

  it('are tried again by the next who asks after a load that failed', async () => {
    const { models, acquire, breakIt } = aCache();
    breakIt(true);
    await expect(acquire('a')).rejects.toMatchObject({ code: 'net.unreachable' });
    breakIt(false);
    (await acquire('a')).release();
    expect(models.loaded).toEqual(['a/v']);
  });

  it('are taken into memory ahead of use when the coordinator says so, once, and a failure is nobody else’s', async () => {
    const { clock, models, acquire, breakIt, resolved } = aCache();
    models.warm('a', 'v');
    models.warm('a', 'v');
    await clock.advance(100);
    expect(models.loaded).toEqual(['a/v']);
    expect(resolved()).toBe(1);
    expect((await acquire('a')).waitedMs).toBe(0);
    breakIt(true);
    models.warm('b', 'v');
    await clock.advance(100);
    expect(models.loaded).toEqual(['a/v']);
  });

  it('are not begun to be loaded where the memory does not suffice: those that nobody uses go first', async () => {
    const { models, acquire, haveFree } = aCache();
    (await acquire('a')).release();
    haveFree(100 * megabyte);
    (await acquire('b')).release();
    expect(models.loaded).toEqual(['a/v', 'b/v']);
    haveFree(100 * megabyte - 1);
    await expect(acquire('c')).rejects.toMatchObject({
      code: 'model.memory',
      retryable: true,
      message: 'c/v needs 105 MB of memory, 1 MB more than can be had',
    });
    expect(models.loaded).toEqual([]);
    haveFree(undefined);
    (await acquire('c')).release();
    expect(models.loaded).toEqual(['c/v']);
  });

  it('are not waited for without an end by those who need their room', async () => {
    const { clock, models, acquire } = aCache({ roomWaitMs: 1_000 });
    await acquire('a');
    await acquire('b');
    const c = models.acquire('c', 'v', never).then(
      () => 'loaded',
      ({ code }) => code,
    );
    await clock.advance(999);
    expect(await Promise.race([c, Promise.resolve('waits')])).toBe('waits');
    await clock.advance(1);
    expect(await c).toBe('model.memory');
    expect(models.loaded).toEqual(['a/v', 'b/v']);
  });
});
