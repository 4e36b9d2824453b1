import { Worker } from 'node:worker_threads';
import { ShoalError } from '@shoal/protocol';
import { Gate } from './gate.ts';
import type { LoadReply, RunReply, WorkerOptions, WorkerReply, WorkerRequest } from './messages.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
type Reply = LoadReply | RunReply | null;

/** One worker thread as a peer that answers requests. When it dies, whatever it owed an answer to fails with `engine.failed`. */
export class InferenceThread {
  /** For tests, which end it. */
  readonly worker: Worker;
  readonly #gate = new Gate();
  readonly #owed = new Map<number, { resolve(value: Reply): void; reject(error: ShoalError): void }>();
  readonly #onDeath: (reason: ShoalError) => void;
  #nextId = 0;
  #lastError: unknown;
  #ended: ShoalError | undefined;

  /** `onDeath` is called once, unless it was {@link stop} that ended the thread. */
  constructor(
    entry: URL,
    options: Omit<WorkerOptions, 'gate'> & { readonly name?: string },
    onDeath: (reason: ShoalError) => void,
  ) {
    const { name = 'inference', ...rest } = options;
    const workerData: WorkerOptions = { ...rest, gate: this.#gate.state };
    const worker = new Worker(entry, { workerData, name });
    this.worker = worker;
    this.#onDeath = onDeath;
    worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    worker.on('error', (error) => {
      this.#lastError = error;
    });
    worker.on('exit', (exitCode) => this.#died(exitCode));
  }

  request(request: WithoutId<WorkerRequest>): Promise<Reply> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#owed.set(id, { resolve, reject });
      this.worker.postMessage({ ...request, id });
    });
  }

  /**
   * Ends the thread; what it still owed fails with `closed`. The thread ends by itself after the run it has in hand:
   * `Worker.terminate` in the middle of a call into ONNX Runtime takes down the whole process (an uncaught `Napi::Error`).
   */
  async stop(): Promise<void> {
    if (this.#ended) return;
    this.#end(new ShoalError('closed', 'the engine was stopped'));
    const over = new Promise<void>((resolve) => this.worker.once('exit', () => resolve()));
    this.worker.postMessage({ kind: 'stop', id: this.#nextId++ } satisfies WorkerRequest);
    await over;
  }

  /** Blocks until the thread is out of the runtime, for good: the process can end now. */
  hold(): void {
    this.#gate.close();
  }

  #settle(reply: WorkerReply): void {
    const owed = this.#owed.get(reply.id);
    this.#owed.delete(reply.id);
    if (reply.ok) owed?.resolve(reply.value);
    else owed?.reject(new ShoalError(reply.code, reply.message));
  }

  #died(exitCode: number): void {
    if (this.#ended) return;
    const reason = this.#lastError instanceof Error ? this.#lastError.message : `it exited with code ${exitCode}`;
    const error = new ShoalError(
      'engine.failed',
      `an inference thread died: ${reason}`,
      { exitCode },
      { cause: this.#lastError },
    );
    this.#end(error);
    this.#onDeath(error);
  }

  #end(error: ShoalError): void {
    this.#ended = error;
    for (const { reject } of this.#owed.values()) reject(error);
    this.#owed.clear();
  }
}
