import { type Clock, ShoalError } from '@shoal/protocol';
import type { Attempt, AttemptState } from '../domain/index.ts';
import { type FleetDevice, shareOf } from '../registry/index.ts';
import { DueTimes } from './due-times.ts';
import { type LiveTask, type RunningAttempt, withAttempt } from './live-task.ts';
import type { TaskCounts } from './task-counts.ts';

/** An attempt is given so many times what it was expected to take before it is given up. */
const leaseFactor = 20;
/** Made once: an error for every attempt would cost more than the attempt. */
const attemptOver = new ShoalError('aborted', 'the attempt is over');

interface Deps {
  readonly clock: Clock;
  readonly counts: TaskCounts;
  /** The device was not heard of in time. */
  readonly onLeaseOver: (running: RunningAttempt) => void;
}

interface RunningAttemptOptions {
  /** The shortest lease, ms. */
  readonly leaseMs: number;
}

/** The attempts that are with a device or on their way to one, each with its share of that device and its lease. */
export class RunningAttempts {
  readonly #deps: Deps;
  readonly #options: RunningAttemptOptions;
  readonly #byId = new Map<string, RunningAttempt>();
  readonly #leases: DueTimes<RunningAttempt>;
  #onNone: (() => void) | undefined;

  constructor(deps: Deps, options: RunningAttemptOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#leases = new DueTimes(deps.clock, 'tasks: leases', deps.onLeaseOver);
  }

  get size(): number {
    return this.#byId.size;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  on(device: FleetDevice): readonly RunningAttempt[] {
    if (device.running === 0) return [];
    return [...this.#byId.values()].filter((running) => running.device === device);
  }

  begin(live: LiveTask, { id, placement, model, variant }: Attempt, device: FleetDevice): RunningAttempt {
    const share = shareOf(placement.chosen, this.#deps.clock.monotonicMs());
    const leaseMs = Math.max(this.#options.leaseMs, Math.ceil(share.time.meanMs * leaseFactor));
    const abort = new AbortController();
    const running = { id, live, device, model, variant, share, leaseMs, abort, accepted: false };
    this.#byId.set(id, running);
    live.current = running;
    device.take(share);
    this.#leases.add(running, leaseMs);
    return running;
  }

  /** Its place is free again. @param reason written into its task; without one, whoever ends the task does so. */
  finish(running: RunningAttempt, state: AttemptState, reason?: string): void {
    if (!this.#byId.delete(running.id)) return;
    const { live, device } = running;
    this.#leases.remove(running);
    device.drop(running.share);
    live.current = undefined;
    this.#deps.counts.attempts[state] += 1;
    if (!running.accepted) running.abort.abort(attemptOver);
    if (reason !== undefined) {
      const ended = { state, reason, endedAtMs: this.#deps.clock.nowMs() };
      live.task = { ...live.task, attempts: withAttempt(live.task, running.id, ended) };
    }
    if (this.#byId.size === 0) this.#onNone?.();
  }

  /** Resolves when none is left, or the signal is aborted. */
  async none(signal: AbortSignal): Promise<void> {
    if (this.#byId.size === 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onNone = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  stop(): void {
    this.#leases.stop();
  }
}
