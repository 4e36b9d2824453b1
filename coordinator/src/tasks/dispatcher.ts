import {
  asShoalError,
  type Clock,
  expectReply,
  fromHex,
  type Logger,
  type Messenger,
  newId,
  type PeerId,
  type Random,
  ShoalError,
} from '@shoal/protocol';
import type { BlobKeeper } from '../blobs/index.ts';
import type { Attempt, AttemptState, Placement } from '../domain/index.ts';
import {
  assignTogether,
  gatherMs,
  mostTogether,
  type PlacementContext,
  type PlacementPolicy,
  place,
  Trials,
  type Warmth,
  type Work,
} from '../placement/index.ts';
import { type FleetDevice, type FleetListener, type Registry, shareOf, text } from '../registry/index.ts';
import { parametersJson } from './check-spec.ts';
import { DueTimes } from './due-times.ts';
import { type LiveTask, mostAttemptsKept, type RunningAttempt, triesOf, withAttempt } from './live-task.ts';
import type { LiveTasks } from './live-tasks.ts';
import type { TaskCounts } from './task-counts.ts';
import { WaitingLine } from './waiting-line.ts';

export interface DispatcherOptions {
  readonly placement: PlacementPolicy;
  readonly inlineInputBytes: number;
  readonly leaseMs: number;
  /** How long an offer may go unanswered, ms. */
  readonly offerTimeoutMs: number;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly messenger: Messenger;
  readonly blobs: Pick<BlobKeeper, 'read'>;
  readonly live: LiveTasks;
  readonly counts: TaskCounts;
}

/** An attempt is given so many times what it was expected to take before it is given up. */
const leaseFactor = 20;
/** Tasks of a class that are looked at before the class waits: the first ones may only wait for themselves. */
const tasksLookedAt = 4;
/** What a device says when it wants no more for now, rather than never this. */
const passingRefusals: ReadonlySet<string> = new Set(['busy', 'battery', 'hot', 'draining']);
const nothing = new Uint8Array();
/** Made once: an error for every attempt would cost more than the attempt. */
const attemptOver = new ShoalError('aborted', 'the attempt is over');
/** A device is told again to load a model after this time, ms. */
const hintMs = 10_000;
/** How long a task rests whose end could not be recorded, ms. */
const restMs = 1_000;

/** Brings waiting tasks to devices, and finds out when they are lost there. */
export class Dispatcher implements FleetListener {
  readonly #deps: Deps;
  readonly #options: DispatcherOptions;
  readonly #line = new WaitingLine();
  /** By attempt id. */
  readonly #running = new Map<string, RunningAttempt>();
  readonly #leases: DueTimes<RunningAttempt>;
  readonly #trials = new Trials();
  /** When a device was last told to load a model ahead, monotonic ms. */
  readonly #hintedMs = new WeakMap<FleetDevice, number>();
  #scheduled = false;
  /** While tasks are gathered that will be placed together. */
  #stopGathering: (() => void) | undefined;
  #paused = false;
  #onIdle: (() => void) | undefined;

  constructor(deps: Deps, options: DispatcherOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#leases = new DueTimes(deps.clock, 'tasks: leases', (running) => this.#lose(running, 'its lease ran out'));
  }

  get counts(): { readonly queued: number; readonly running: number } {
    return { queued: this.#line.size, running: this.#running.size };
  }

  /** No attempt is begun any more. Resolves when none is left, or the signal is aborted. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#paused = true;
    if (this.#running.size === 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  stop(): void {
    this.#paused = true;
    this.#stopGathering?.();
    this.#leases.stop();
  }

  /** A task waits. One that can be placed is on its way when this returns; or a moment later, with a strategy that decides on several together. */
  enqueue(live: LiveTask): void {
    const isFirst = this.#line.size === 0;
    this.#line.add(live);
    if (this.#paused || this.#stopGathering) return;
    // When more waits than devices take, each goes as soon as it can.
    if (isFirst && this.#options.placement.strategy.together) this.#gather();
    else this.#runClass(live.className);
  }

  /** A task that was on its way when the coordinator went down. What its device says next decides. */
  resume(live: LiveTask): void {
    for (const { state, device } of live.task.attempts)
      if (state === 'failed' || state === 'lost') live.tried.add(device);
    const last = live.task.attempts.at(-1);
    const open = last?.state === 'accepted' || last?.state === 'offered';
    const device = open ? this.#deps.registry.device(last.device) : undefined;
    if (open && device) this.#resumeAttempt(live, last, device);
    else if (triesOf(live.task) >= live.task.spec.maxAttempts) this.#giveUp(live);
    else this.#line.add(live);
  }

  /** One that was not answered yet is offered once more, as the same attempt: the device takes it once. */
  #resumeAttempt(live: LiveTask, attempt: Attempt, device: FleetDevice): void {
    const running = this.#track(live, attempt, device);
    running.accepted = attempt.state === 'accepted';
    if (device.record.revoked) this.#lose(running, 'the device was revoked');
    else if (!running.accepted) this.#offerOrFail(running);
  }

  /** Another state of the fleet, or a place that became free. */
  wake(): void {
    if (this.#scheduled || this.#line.size === 0 || this.#paused || this.#stopGathering) return;
    this.#scheduled = true;
    this.#deps.clock.soon('tasks: dispatch', () => {
      this.#scheduled = false;
      if (!this.#paused) this.#runAll();
    });
  }

  onAvailable(): void {
    this.wake();
  }

  onGone(device: FleetDevice, reason: string): void {
    for (const running of this.#attemptsOf(device)) this.#lose(running, reason);
  }

  /** The device said what it works on: what it does not know of any more is lost there, and what is not wanted any more is called off. */
  reconcile(device: FleetDevice, runningThere: readonly string[]): void {
    const there = new Set(runningThere);
    for (const running of this.#attemptsOf(device)) {
      // An offer that is not answered yet may still be on its way.
      if (running.accepted && !there.has(running.id)) this.#lose(running, 'the device does not know of it any more');
    }
    for (const id of there)
      if (!this.#running.has(id)) this.#callOff(device, '', id, 'the attempt is not wanted any more');
  }

  /** The task must not be begun again, for now or for good. */
  withhold(live: LiveTask): void {
    this.#line.remove(live);
  }

  /** The end of the task could not be recorded: it waits again, where it is not with a device; one that has had all its tries waits for its end. */
  restore(live: LiveTask): void {
    if (live.current) return;
    const spent = triesOf(live.task) >= live.task.spec.maxAttempts;
    if (!spent) this.#line.add(live);
    this.#deps.clock.after('tasks: try again', restMs, () => {
      if (!spent) this.wake();
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
      this.#callOff(running.device, live.id, running.id, ended.reason ?? 'the task has ended');
  }

  /** The task is no task any more: what a device does for it is called off. */
  withdraw(live: LiveTask, reason: string): void {
    const running = live.current;
    if (!running) return;
    this.finish(running, 'cancelled');
    this.#callOff(running.device, live.id, running.id, reason);
  }

  /** The attempt is over. Its place is free again. */
  finish(running: RunningAttempt, state: AttemptState, reason?: string): void {
    if (!this.#running.delete(running.id)) return;
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
    if (this.#running.size === 0) this.#onIdle?.();
    this.wake();
  }

  /** The attempt did not succeed: the task waits for another one, unless it has had them all. */
  retry(live: LiveTask, failure: { readonly code: string; readonly reason: string }): void {
    live.failure = failure;
    if (triesOf(live.task) < live.task.spec.maxAttempts) {
      this.#deps.live.change(live, { state: 'queued', reason: failure.reason });
      this.enqueue(live);
    } else this.#giveUp(live);
  }

  #giveUp(live: LiveTask): void {
    const { reason: lastReason = 'the reason was lost in a crash' } = live.task.attempts.at(-1) ?? {};
    const { code, reason } = live.failure ?? { code: 'work.no-device', reason: lastReason };
    const tries = `${triesOf(live.task)} of ${live.task.spec.maxAttempts} attempts did not succeed`;
    this.#fail(live, code, `${tries}; the last: ${reason}`);
  }

  #fail(live: LiveTask, errorCode: string, reason: string): void {
    this.#deps.live.end(live, { state: 'failed', errorCode, reason }).catch((error) => {
      // It waits again: whatever it is tried for then, it ends when the store can be written.
      this.#deps.logger.error('the end of a task could not be recorded', {
        task: live.id,
        error: asShoalError(error).message,
      });
    });
  }

  #attemptsOf(device: FleetDevice): readonly RunningAttempt[] {
    if (device.running === 0) return [];
    return [...this.#running.values()].filter((running) => running.device === device);
  }

  #gather(): void {
    this.#stopGathering = this.#deps.clock.after('tasks: place together', gatherMs, () => {
      this.#stopGathering = undefined;
      if (!this.#paused) this.#placeTogether();
    });
  }

  /** As many at a time as are decided on together. */
  #placeTogether(): void {
    for (let placed = true; placed && this.#line.size > 0; ) {
      const classes = this.#line.classes();
      const waiting = classes.flatMap((name) => this.#line.first(name, mostTogether)).slice(0, mostTogether);
      const works = waiting.map((live) => this.#workOf(live));
      const tried = assignTogether(this.#deps.registry.fleet, works, this.#context()).filter(({ work, device }) =>
        this.#tryPlace(waiting[work] as LiveTask, device),
      );
      placed = tried.length === waiting.length;
    }
    // Those that found no place are told why.
    this.#runAll();
  }

  #runAll(): void {
    for (const className of this.#line.classes()) this.#runClass(className);
  }

  #runClass(className: string): void {
    for (;;) {
      const looked = this.#line.first(className, tasksLookedAt);
      if (looked.length === 0 || !looked.some((live) => this.#tryPlace(live))) return;
    }
  }

  /** @param assigned the device that was decided on for it together with others. */
  #tryPlace(live: LiveTask, assigned?: PeerId): boolean {
    const { registry, counts } = this.#deps;
    const context = assigned === undefined ? this.#context() : { ...this.#context(), assigned };
    const plan = place(registry.fleet, this.#workOf(live), context);
    if (plan.kind === 'unplaced') {
      counts.unplaced += 1;
      if (live.task.reason !== plan.reason) {
        live.task = { ...live.task, reason: plan.reason };
        live.tell();
      }
      return false;
    }
    counts.placed += 1;
    this.#trials.placed(plan.placement, context.nowMs);
    if (plan.warm) this.#warm(plan.warm);
    this.#line.remove(live);
    this.#begin(live, plan.placement);
    return true;
  }

  #context(): PlacementContext {
    const { clock, random } = this.#deps;
    const nowMs = clock.monotonicMs();
    return { nowMs, wallMs: clock.nowMs(), random, mayTry: this.#trials.mayTry(nowMs), ...this.#options.placement };
  }

  #workOf({ task, resolved, dueMs, tried, declined }: LiveTask): Work {
    const { spec } = task;
    return {
      choices: resolved.choices,
      inputBytes: spec.input?.sizeBytes ?? 0,
      labels: spec.labels,
      ...(spec.device !== undefined && { device: spec.device }),
      timeLeftMs: dueMs - this.#deps.clock.monotonicMs(),
      ...(spec.critical && { critical: true }),
      ...(spec.accelerator && { accelerator: true }),
      tried,
      declined,
    };
  }

  /** Tells the device that would have been better to load the model, not more often than it may take to do so. */
  #warm({ device: id, model, variant }: Warmth): void {
    const { clock, messenger, registry } = this.#deps;
    const device = registry.device(id);
    const nowMs = clock.monotonicMs();
    if (!device || nowMs < (this.#hintedMs.get(device) ?? Number.NEGATIVE_INFINITY) + hintMs) return;
    this.#hintedMs.set(device, nowMs);
    messenger.send(id, { payload: { modelHint: { model, variant } } });
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
    const running = this.#track(live, attempt, device);
    this.#offerOrFail(running);
  }

  #offerOrFail(running: RunningAttempt): void {
    void this.#offer(running).catch((error) => this.#offerFailed(running, asShoalError(error)));
  }

  #track(live: LiveTask, { id, placement, model, variant }: Attempt, device: FleetDevice): RunningAttempt {
    const share = shareOf(placement.chosen, this.#deps.clock.monotonicMs());
    const running = { id, live, device, model, variant, share, abort: new AbortController(), accepted: false };
    this.#running.set(id, running);
    live.current = running;
    device.take(share);
    this.#leases.add(running, this.#leaseMs(running));
    return running;
  }

  #leaseMs({ share }: RunningAttempt): number {
    return Math.max(this.#options.leaseMs, Math.ceil(share.time.meanMs * leaseFactor));
  }

  async #offer(running: RunningAttempt): Promise<void> {
    const { live, device } = running;
    const { spec } = live.task;
    const { input } = spec;
    const inline = input !== undefined && input.sizeBytes <= this.#options.inlineInputBytes;
    const bytes = inline ? await this.#deps.blobs.read(input.digest) : undefined;
    if (live.current !== running) return;
    const { clock, messenger } = this.#deps;
    const timeLeftMs = Math.max(1, Math.ceil(live.dueMs - clock.monotonicMs()));
    const reply = await messenger.request(
      device.id,
      {
        taskAssignment: {
          taskId: live.id,
          attemptId: running.id,
          pipeline: spec.pipeline,
          model: running.model ?? '',
          variant: running.variant ?? '',
          inputDigest: input ? (fromHex(input.digest) ?? nothing) : nothing,
          inputSizeBytes: input?.sizeBytes ?? 0,
          inputMediaType: input?.mediaType ?? '',
          parametersJson: parametersJson(spec.parameters),
          timeLeftMs,
          leaseMs: this.#leaseMs(running),
        },
      },
      {
        timeoutMs: Math.min(this.#options.offerTimeoutMs, timeLeftMs),
        signal: running.abort.signal,
        ...(bytes && { attachments: [bytes] }),
      },
    );
    const { accepted, reason } = expectReply(reply, 'taskAdmission');
    // The outcome may have been quicker than the admission.
    if (live.current !== running) return;
    if (!accepted) return this.#refused(running, text(reason) || 'no reason');
    running.accepted = true;
    this.#deps.live.change(live, { attempts: withAttempt(live.task, running.id, { state: 'accepted' }) });
  }

  #refused(running: RunningAttempt, reason: string): void {
    const { live, device } = running;
    this.finish(running, 'refused', `the device would not take it: ${reason}`);
    if (passingRefusals.has(reason)) {
      const forMs = device.pauseFor(reason, this.#deps.clock.monotonicMs());
      this.#deps.clock.after('tasks: ask a device again', forMs, () => this.wake());
    } else live.declined.set(device.id, reason);
    this.#waitAgain(live, `${device.record.name} would not take it: ${reason}`);
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
    this.#callOff(device, live.id, running.id, reason);
    live.tried.add(device.id);
    if (live.ending === undefined)
      this.retry(live, { code: 'work.no-device', reason: `on ${device.record.name}: ${reason}` });
  }

  #waitAgain(live: LiveTask, reason: string): void {
    if (live.ending !== undefined) return;
    this.#deps.live.change(live, { state: 'queued', reason });
    this.enqueue(live);
  }

  #callOff(device: FleetDevice, taskId: string, attemptId: string, reason: string): void {
    if (device.presence === 'offline') return;
    this.#deps.messenger.send(device.id, { payload: { taskCancellation: { taskId, attemptId, reason } } });
  }
}
