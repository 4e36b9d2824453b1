import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Checkpointer } from '../log-keeper.ts';

export type CheckpointRequest = 'checkpoint' | 'close';

/** SQLite's code and words when it failed; errors do not keep what is theirs between threads. */
export interface CheckpointReply {
  readonly errcode?: number;
  readonly message?: string;
}

/** Checkpoints in a thread with a connection of its own, which begins with the first: a coordinator that has little to do has none. */
export function openCheckpointThread(databasePath: string): Checkpointer {
  let thread: Worker | undefined;
  const start = () => {
    const entry = new URL(`./checkpoint-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
    const worker = new Worker(entry, { workerData: databasePath, name: 'sqlite-checkpoint' });
    // It keeps the process only while somebody waits for it.
    worker.unref();
    worker.once('exit', () => {
      thread = undefined;
    });
    return worker;
  };
  return {
    async checkpoint() {
      thread ??= start();
      thread.ref();
      const failed = new AbortController();
      const died = once(thread, 'exit', { signal: failed.signal }).then(() => {
        throw new Error('the thread that checkpoints ended');
      });
      try {
        thread.postMessage('checkpoint' satisfies CheckpointRequest);
        const [{ errcode, message }] = (await Promise.race([once(thread, 'message'), died])) as [CheckpointReply];
        if (message !== undefined) throw Object.assign(new Error(message), { errcode });
      } finally {
        died.catch(() => {});
        failed.abort();
        thread?.unref();
      }
    },
    async close() {
      if (!thread) return;
      thread.ref();
      const over = once(thread, 'exit');
      thread.postMessage('close' satisfies CheckpointRequest);
      await over;
    },
  };
}
