import {
  asShoalError,
  type Clock,
  type Messenger,
  newId,
  type Random,
  ShoalError,
  type TaskAdmission,
} from '@shoal/protocol';
import type { BlobKeeper } from '../blobs/index.ts';
import type { Attempt, AttemptState, Placement } from '../domain/index.ts';
import type { PlacementPolicy } from '../placement/index.ts';
import { type FleetDevice, type FleetListener, type Registry, text } from '../registry/index.ts';
import { type LiveTask, mostAttemptsKept, type RunningAttempt, triesOf, withAttempt } from './live-task.ts';
import type { LiveTasks } from './live-tasks.ts';
import { Placer } from './placer.ts';
import { RunningAttempts } from './running-attempts.ts';
import { TaskCommands } from './task-commands.ts';
import type { TaskCounts } from './task-counts.ts';

export interface DispatcherOptions {
  readonly placement: PlacementPolicy;
  /** Inputs up to this size travel with the offer. */
  readonly inlineInputBytes: number;
  /** The shortest lease of an attempt, ms. */
  readonly leaseMs: number;
  /** How long an offer may go unanswered, ms. */
  readonly offerTimeoutMs: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: Registry;
  readonly messenger: Messenger;
  readonly blobs: Pick<BlobKeeper, 'read'>;
  readonly live: LiveTasks;
  readonly counts: TaskCounts;
}

/** What a device says when it wants no more for now, rather than never this. */
const passingRefusals: ReadonlySet<string> = new Set(['busy', 'battery', 'hot', 'draining']);
/** How long a task rests whose end could not be recorded, ms. */
const restMs = 1_000;

/** Brings waiting tasks to devices, and finds out when they are lost there. */
export class Dispatcher implements FleetListener {
  readonly #deps: Deps;
  readonly #placer: Placer;
  readonly #running: RunningAttempts;
  readonly #commands: TaskCommands;

  constructor(deps: Deps, options: DispatcherOptions) {
    this.#deps = deps;
    this.#commands = new TaskCommands(deps, options);
    this.#running = new RunningAttempts(
      { ...deps, onLeaseOver: (running) => this.#lose(running, 'its lease ran out') },
      options,
    );
    this.#placer = new Placer(
      {
        ...deps,
        onPlaced: (live, placement, warm) => {
          if (warm) this.#commands.warm(warm);
          this.#begin(live, placement);
        },
      },
      options.placement,
    );
  }

  get counts(): { readonly queued: number; readonly running: number } {
    return { queued: this.#placer.waiting, running: this.#running.size };
  }

  /** No attempt is begun any more. Resolves when none is left, or the signal is aborted. */
  drain(signal: AbortSignal): Promise<void> {
    this.#placer.pause();
    return this.#running.none(signal);
  }

  stop(): void {
    this.#placer.stop();
    this.#running.stop();
  }

  /** A task waits. One that can be placed is on its way when this returns; or a moment later, with a strategy that decides on several together. */
  enqueue(live: LiveTask): void {
    this.#placer.add(live);
  }

  /** A task that was on its way when the coordinator went down. What its device says next decides. */
  resume(live: LiveTask): void {
    for (const { state, device } of live.task.attempts)
      if (state === 'failed' || state === 'lost') live.tried.add(device);
    const last = live.task.attempts.at(-1);
    const open = last?.state === 'accepted' || last?.state === 'offered';
    const device = open ? this.#deps.registry.device(last.device) : undefined;
    if (open && device) this.#resumeAttempt(live, last, device);
    else if (hasTriesLeft(live)) this.#placer.wait(live);
    else this.#giveUp(live);
  }

  /** One that was not answered yet is offered once more, as the same attempt: the device takes it once. */
  #resumeAttempt(live: LiveTask, attempt: Attempt, device: FleetDevice): void {
    const running = this.#running.begin(live, attempt, device);
    running.accepted = attempt.state === 'accepted';
    if (device.record.revoked) this.#lose(running, 'the device was revoked');
    else if (!running.accepted) this.#offer(running);
  }

  onAvailable(): void {
    this.#placer.wake();
  }

  onGone(device: FleetDevice, reason: string): void {
    for (const running of this.#running.on(device)) this.#lose(running, reason);
  }

  /** The device said what it works on: what it does not know of any more is lost there, and what is not wanted any more is called off. */
  reconcile(device: FleetDevice, runningThere: readonly string[]): void {
    const there = new Set(runningThere);
    for (const running of this.#running.on(device)) {
      // An offer that is not answered yet may still be on its way.
      if (running.accepted && !there.has(running.id)) this.#lose(running, 'the device does not know of it any more');
    }
    for (const id of there)
      if (!this.#running.has(id)) this.#commands.callOff(device, '', id, 'the attempt is not wanted any more');
  }

  /** The task must not be begun again, for now or for good. */
  withhold(live: LiveTask): void {
    this.#placer.remove(live);
  }

  /** The end of the task could not be recorded: it waits again, where it is not with a device; one that has had all its tries waits for its end. */
  restore(live: LiveTask): void {
    if (live.current) return;
    const again = hasTriesLeft(live);
    if (again) this.#placer.wait(live);
    this.#deps.clock.after('tasks: try again', restMs, () => {
      if (again) this.#placer.wake();
      else if (live.ending === undefined && this.#deps.live.get(live.id) === live) this.#giveUp(live);
    });
  }

  /** The task has ended: its running attempt too, and its device is told unless it brought the end itself. */
  release(live: LiveTask): void {
    const running = live.current;
    if (!running) return;
    const ended = live.task.attempts.find(({ id }) => id === running.id);
    this.finish(running, ended?.state ?? 'cancelled');
    if (ended?.state === 'cancelled')
      this.#commands.callOff(running.device, live.id, running.id, ended.reason ?? 'the task has ended');
  }

  /** The task is no task any more: what a device does for it is called off. */
  withdraw(live: LiveTask, reason: string): void {
    const running = live.current;
    if (!running) return;
    this.finish(running, 'cancelled');
    this.#commands.callOff(running.device, live.id, running.id, reason);
  }

  /** The attempt is over. Its place is free again. */
  finish(running: RunningAttempt, state: AttemptState, reason?: string): void {
    this.#running.finish(running, state, reason);
    this.#placer.wake();
  }

  /** The attempt did not succeed: the task waits for another one, unless it has had them all. */
  retry(live: LiveTask, failure: { readonly code: string; readonly reason: string }): void {
    live.failure = failure;
    if (hasTriesLeft(live)) this.#waitAgain(live, failure.reason);
    else this.#giveUp(live);
  }

  #waitAgain(live: LiveTask, reason: string): void {
    this.#deps.live.change(live, { state: 'queued', reason });
    this.enqueue(live);
  }

  #giveUp(live: LiveTask): void {
    const { reason: lastReason = 'the reason was lost in a crash' } = live.task.attempts.at(-1) ?? {};
    const { code, reason } = live.failure ?? { code: 'work.no-device', reason: lastReason };
    const tries = `${triesOf(live.task)} of ${live.task.spec.maxAttempts} attempts did not succeed`;
    this.#fail(live, code, `${tries}; the last: ${reason}`);
  }

  #fail(live: LiveTask, errorCode: string, reason: string): void {
    // When that cannot be recorded it waits again: whatever it is tried for then, it ends when the store can be written.
    this.#deps.live.end(live, { state: 'failed', errorCode, reason }).catch(() => {});
  }

  #begin(live: LiveTask, placement: Placement): void {
    const { clock, random, registry, live: tasks } = this.#deps;
    const device = registry.device(placement.chosen.device);
    if (!device) throw new ShoalError('defect', 'a device was placed on that is not in the fleet');
    const { model, variant } = placement.chosen;
    const startedAtMs = clock.nowMs();
    const attempt: Attempt = {
      id: newId('att', startedAtMs, random),
      device: device.id,
      ...(model !== undefined && { model }),
      ...(variant !== undefined && { variant }),
      state: 'offered',
      startedAtMs,
      placement,
    };
    const kept = live.task.attempts.slice(1 - mostAttemptsKept);
    const { reason: _, ...task } = live.task;
    live.task = task;
    tasks.change(live, { state: 'running', attempts: [...kept, attempt] });
    this.#offer(this.#running.begin(live, attempt, device));
  }

  #offer(running: RunningAttempt): void {
    void this.#commands
      .offer(running)
      .then((admission) => admission && this.#answered(running, admission))
      .catch((error) => this.#offerFailed(running, asShoalError(error)));
  }

  #answered(running: RunningAttempt, { accepted, reason }: TaskAdmission): void {
    const { live } = running;
    // The outcome may have been quicker than the admission.
    if (live.current !== running) return;
    if (!accepted) {
      this.#refused(running, text(reason) || 'no reason');
      return;
    }
    running.accepted = true;
    this.#deps.live.change(live, { attempts: withAttempt(live.task, running.id, { state: 'accepted' }) });
  }

  #refused(running: RunningAttempt, reason: string): void {
    const { live, device } = running;
    this.finish(running, 'refused', `the device would not take it: ${reason}`);
    if (passingRefusals.has(reason)) {
      const forMs = device.pauseFor(reason, this.#deps.clock.monotonicMs());
      this.#deps.clock.after('tasks: ask a device again', forMs, () => this.#placer.wake());
    } else live.declined.set(device.id, reason);
    if (live.ending === undefined) this.#waitAgain(live, `${device.record.name} would not take it: ${reason}`);
  }

  #offerFailed(running: RunningAttempt, error: ShoalError): void {
    if (running.live.current !== running || error.code === 'closed') return;
    if (error.facts['fromPeer'] === true) {
      this.#refused(running, error.retryable ? 'busy' : text(error.message));
      return;
    }
    if (error.code === 'not-found') {
      this.finish(running, 'lost', error.message);
      // Whatever ends it now goes first: a task ends once.
      if (running.live.ending !== undefined) return;
      this.#fail(running.live, error.code, `its input is gone: ${error.message}`);
      return;
    }
    // Also when the input cannot be read: nothing but another try can tell whether that lasts.
    this.#lose(running, error.code === 'timeout' ? 'the device did not answer the offer' : error.message);
  }

  #lose(running: RunningAttempt, reason: string): void {
    const { live, device } = running;
    if (live.current !== running) return;
    this.finish(running, 'lost', reason);
    this.#commands.callOff(device, live.id, running.id, reason);
    live.tried.add(device.id);
    if (live.ending === undefined)
      this.retry(live, { code: 'work.no-device', reason: `on ${device.record.name}: ${reason}` });
  }
}

function hasTriesLeft({ task }: LiveTask): boolean {
  return triesOf(task) < task.spec.maxAttempts;
}
