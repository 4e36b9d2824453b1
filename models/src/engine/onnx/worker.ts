import { parentPort, workerData } from 'node:worker_threads';
import { Gate } from './gate.ts';
import type { LoadReply, RunReply, WorkerOptions, WorkerReply, WorkerRequest } from './messages.ts';
import { OnnxSession, SessionError } from './session.ts';

// The entry of one worker thread. `session.run` blocks its thread for the whole inference: that is why it is not the main one.
// Imports are relative, so that the thread runs the same way from the sources and from what was built.

const port = parentPort;
if (!port) throw new Error('this file is the entry of a worker thread');
const options = workerData as WorkerOptions;
const gate = new Gate(options.gate);
const sessions = new Map<number, OnnxSession>();
let last: Promise<void> = Promise.resolve();

port.on('message', (request: WorkerRequest) => {
  // One after the other: a run must find the model that was asked to be loaded before it.
  last = last.then(() => answer(request));
});

// The runtime is loaded: until the first request, this thread may be ended at any time.
gate.leave();

async function answer(request: WorkerRequest): Promise<void> {
  // The process is ending: nobody waits for the answer.
  if (!gate.enter()) return;
  const reply = await handle(request).then(
    (value): WorkerReply => ({ id: request.id, ok: true, value }),
    (error: unknown): WorkerReply => ({
      id: request.id,
      ok: false,
      code: error instanceof SessionError ? error.code : 'engine.failed',
      message: error instanceof Error ? error.message : String(error),
    }),
  );
  port?.postMessage(reply);
  gate.leave();
}

async function handle(request: WorkerRequest): Promise<LoadReply | RunReply | null> {
  switch (request.kind) {
    case 'load': {
      const startedMs = performance.now();
      sessions.set(request.key, await OnnxSession.open(request.model, options));
      // Where the process allows it (`node --expose-gc`): what loading needed goes now, 2 MB. A thread that only runs a model would never come to it.
      globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
      return { loadMs: performance.now() - startedMs };
    }
    case 'run': {
      const session = sessions.get(request.key);
      if (!session) throw new SessionError('closed', 'the model is not loaded in this worker');
      return session.run(request.pixels, request.placement, request.parameters);
    }
    case 'release': {
      const session = sessions.get(request.key);
      sessions.delete(request.key);
      await session?.close();
      return null;
    }
    case 'stop': {
      for (const session of sessions.values()) await session.close();
      sessions.clear();
      // With nothing to listen to, the thread ends.
      port?.close();
      return null;
    }
  }
}
