import type { Worker } from 'node:worker_threads';
import { silentLogger } from '@shoal/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { InferenceThread } from '../../src/engine/onnx/inference-thread.ts';
import { ThreadPool } from '../../src/engine/onnx/thread-pool.ts';
import { aDetector, aFrame } from './tiny-models.ts';

const never = new AbortController().signal;
const entry = new URL('../../src/engine/onnx/worker.ts', import.meta.url);

/** A pool of real threads, which the test can get at to end them. */
function aPool(workers: number, queueLimit = 8) {
  const threads: Worker[] = [];
  const exits: Promise<unknown>[] = [];
  const spawn: ConstructorParameters<typeof ThreadPool>[0]['spawn'] = (onDeath) => {
    const thread = new InferenceThread(entry, { threadsPerWorker: 1 }, onDeath);
    threads.push(thread.worker);
    exits.push(new Promise((resolve) => thread.worker.once('exit', resolve)));
    return thread;
  };
  return { pool: new ThreadPool({ logger: silentLogger, spawn }, { workers, queueLimit }), threads, exits };
}

/**
 * Something that no thread survives. What is asked of it afterwards, it does not answer. (`terminate` in the middle of a call into
 * the runtime would end this process.)
 */
const poison = null;

describe('a pool of inference threads', () => {
  let pool: ThreadPool | undefined;
  afterEach(() => pool?.dispose());

  const frame = aFrame();

  it('has no threads until a model is loaded, and none when the last one is released', async () => {
    const made = aPool(2);
    pool = made.pool;
    expect(made.threads).toHaveLength(0);
    const first = await pool.load(aDetector());
    const second = await pool.load(aDetector());
    expect(made.threads).toHaveLength(2);
    await pool.release(first.key);
    await expect(pool.run(second.key, frame, {}, never)).resolves.toBeDefined();
    await pool.release(second.key);
    await Promise.all(made.exits);
    // And it can begin again.
    const third = await pool.load(aDetector());
    expect(made.threads).toHaveLength(4);
    await expect(pool.run(third.key, frame, {}, never)).resolves.toBeDefined();
  });

  it('fails the runs of a thread that dies, replaces it, and has every model there again', async () => {
    const made = aPool(1);
    pool = made.pool;
    const models = [await pool.load(aDetector()), await pool.load(aDetector())];
    made.threads[0]?.postMessage(poison);
    const lost = expect(pool.run(0, frame, {}, never)).rejects.toMatchObject({
      code: 'engine.failed',
      retryable: true,
    });
    const waiting = pool.run(1, frame, {}, never);
    await lost;
    await expect(waiting).resolves.toBeDefined();
    for (const { key } of models) await expect(pool.run(key, frame, {}, never)).resolves.toBeDefined();
    expect(made.threads).toHaveLength(2);
  });

  it('gives up on a seat after three deaths in a row, says so, and begins anew with the next load', async () => {
    const made = aPool(1);
    pool = made.pool;
    const { key } = await pool.load(aDetector());
    for (let death = 0; death < 3; death++) {
      made.threads[death]?.postMessage(poison);
      await expect(pool.run(key, frame, {}, never)).rejects.toMatchObject({ code: 'engine.failed' });
    }
    expect(made.threads).toHaveLength(3);
    await expect(pool.run(key, frame, {}, never)).rejects.toMatchObject({ code: 'engine.unavailable' });
    const again = await pool.load(aDetector());
    await expect(pool.run(again.key, frame, {}, never)).resolves.toBeDefined();
    await expect(pool.run(key, frame, {}, never)).resolves.toBeDefined();
  });

  it('counts deaths anew after a run that went well', async () => {
    const made = aPool(1);
    pool = made.pool;
    const { key } = await pool.load(aDetector());
    for (let death = 0; death < 4; death++) {
      await expect(pool.run(key, frame, {}, never)).resolves.toBeDefined();
      made.threads[death]?.postMessage(poison);
      await expect(pool.run(key, frame, {}, never)).rejects.toMatchObject({ code: 'engine.failed' });
    }
    await expect(pool.run(key, frame, {}, never)).resolves.toBeDefined();
  });

  it('uses every thread at once', async () => {
    const made = aPool(2, 1);
    pool = made.pool;
    const { key } = await pool.load(aDetector());
    const runs = await Promise.allSettled([1, 2, 3, 4].map(() => pool?.run(key, frame, {}, never)));
    expect(runs.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
  });
});
