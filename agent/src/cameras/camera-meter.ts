import { type Clock, quantile } from '@shoal/protocol';

/** Frames that rate and latency are computed from: the last so many. */
const framesKept = 64;

/** Counts what a camera's pipeline does. */
export class CameraMeter {
  readonly #clock: Clock;
  readonly #finishedMs: number[] = [];
  readonly #latencyMs: number[] = [];
  #frames = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A frame was analysed; it had been whole at `capturedMonotonicMs`. */
  frame(capturedMonotonicMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#frames += 1;
    keep(this.#finishedMs, nowMs);
    keep(this.#latencyMs, nowMs - capturedMonotonicMs);
  }

  get frames(): number {
    return this.#frames;
  }

  /** Of the last frames; falls when none come any more. */
  get fps(): number {
    const first = this.#finishedMs[0];
    if (first === undefined || this.#finishedMs.length < 2) return 0;
    const spanMs = Math.max(this.#clock.monotonicMs(), this.#finishedMs.at(-1) ?? 0) - first;
    return spanMs > 0 ? ((this.#finishedMs.length - 1) * 1000) / spanMs : 0;
  }

  latencyMs(share: number): number {
    return quantile(this.#latencyMs, share);
  }
}

function keep(values: number[], value: number): void {
  values.push(value);
  if (values.length > framesKept) values.shift();
}
