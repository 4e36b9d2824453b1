const outside = 0;
const inside = 1;
const closed = 2;

/** Longer than any inference that is worth waiting for when a process ends. */
const closeTimeoutMs = 5_000;

/**
 * Says whether a thread is at work, in memory that it shares with its owner. A process that ends while one of its threads is
 * within ONNX Runtime aborts (an uncaught `Napi::Error`, exit code 134); so whoever ends the process closes the gate first.
 */
export class Gate {
  /** To be handed to the other thread: int32[1] in shared memory. */
  readonly state: Int32Array;

  /** A thread is at work until it says otherwise: it loads the runtime as soon as it starts. */
  constructor(state: Int32Array = new Int32Array(new SharedArrayBuffer(4)).fill(inside)) {
    this.state = state;
  }

  /** False when the gate is closed: then the thread must not work any more. */
  enter(): boolean {
    return Atomics.compareExchange(this.state, 0, outside, inside) === outside;
  }

  leave(): void {
    Atomics.store(this.state, 0, outside);
    Atomics.notify(this.state, 0);
  }

  /** Blocks until the thread is outside, and keeps it there. */
  close(): void {
    if (Atomics.compareExchange(this.state, 0, outside, closed) !== inside) return;
    Atomics.wait(this.state, 0, inside, closeTimeoutMs);
    Atomics.compareExchange(this.state, 0, outside, closed);
  }
}
