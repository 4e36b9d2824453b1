import {
  asShoalError,
  type Logger,
  type Service,
  ShoalError,
  type TaskAdmissionInit,
  type TaskAssignment,
  type TaskCancellation,
} from '@shoal/protocol';
import type { ModelShelf } from '../loaded-models/index.ts';
import type { ConditionWatch } from '../machine/index.ts';
import type { Outbox } from '../outbox/index.ts';
import { findPipeline, type Pipeline } from '../pipelines/index.ts';
import { type AdmissionLimits, defaultAdmissionLimits, refusalOf } from './admission.ts';
import { type Attempt, endedBy, type Timings } from './attempt.ts';
import { AttemptRunner, type Finished, type RunnerDeps, type RunnerOptions } from './attempt-runner.ts';
import { WorkPlaces } from './places.ts';

export interface WorkOptions extends RunnerOptions {
  readonly limits: AdmissionLimits;
  /**
   * Tasks with a model that are worked on at the same time: one more than the engine's threads, so that the next picture is fetched and decoded
   * while the last one is inferred.
   */
  readonly concurrency: number;
  /** How long {@link Work.drain} lets running tasks finish, ms. */
  readonly drainMs: number;
}

const defaultWorkOptions: Omit<WorkOptions, 'software'> = {
  limits: defaultAdmissionLimits,
  concurrency: 2,
  mostInputBytes: 64 * 1024 * 1024,
  drainMs: 8_000,
};

interface Deps extends RunnerDeps {
  readonly logger: Logger;
  readonly outbox: Outbox;
  readonly shelf: ModelShelf;
  readonly condition: ConditionWatch;
  /** Time that one run of a variant takes here, ms; `undefined` when it was not measured yet. */
  readonly expectedMs: (model: string, variant: string) => number | undefined;
  /** Shared with the agents of other coordinators on this device; left out: its own. */
  readonly places?: WorkPlaces;
}

/** Tasks on this device: takes or refuses them, runs them, and puts their outcomes into the outbox. */
export class Work implements Service {
  readonly name = 'work';
  readonly #deps: Deps;
  readonly #options: WorkOptions;
  /** By attempt id, in the order of admission. */
  readonly #attempts = new Map<string, Attempt>();
  /** Those that wait for their turn, with what it is given to. */
  readonly #waiting = new Map<Attempt, () => Promise<void>>();
  readonly #places: WorkPlaces;
  readonly #runner: AttemptRunner;
  #draining = false;
  #onIdle: (() => void) | undefined;

  constructor(deps: Deps, options: Partial<WorkOptions> & Pick<WorkOptions, 'software'>) {
    this.#deps = deps;
    this.#options = { ...defaultWorkOptions, ...options };
    this.#places = deps.places ?? new WorkPlaces(this.#options.concurrency);
    this.#runner = new AttemptRunner(deps, this.#options);
  }

  get running(): number {
    return this.#attempts.size - this.#waiting.size;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get attempts(): readonly string[] {
    return [...this.#attempts.keys()];
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  /** Takes the attempt, or says why not. One that is here already is taken again, once. */
  offer(assignment: TaskAssignment, attachments: readonly Uint8Array[]): TaskAdmissionInit {
    const { attemptId } = assignment;
    if (this.#attempts.has(attemptId)) return { attemptId, accepted: true, queued: this.#places.queued };
    const pipeline = findPipeline(assignment.pipeline);
    const reason = this.#refusal(assignment, pipeline);
    if (reason || !pipeline)
      return { attemptId, accepted: false, reason: reason ?? 'no-pipeline', queued: this.#places.queued };
    this.#admit(assignment, pipeline, attachments[0]);
    return { attemptId, accepted: true, queued: this.#places.queued };
  }

  /** Ends the attempt wherever it stands. Its outcome says `work.cancelled`. */
  cancel({ attemptId, reason }: TaskCancellation): void {
    const attempt = this.#attempts.get(attemptId);
    if (attempt) this.#end(attempt, new ShoalError('work.cancelled', reason || 'the task was cancelled'));
  }

  /** Takes nothing more, hands back what waits, and lets what runs finish within its time. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    for (const attempt of [...this.#waiting.keys()]) {
      this.#end(attempt, new ShoalError('work.refused', 'the device is draining: try elsewhere'));
    }
    if (this.#attempts.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#deps.clock.after('work: finish', this.#options.drainMs, resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#onIdle = () => {
        cancel();
        resolve();
      };
    });
    // Here and not in stop(): the outbox is still open for what becomes of them.
    this.#abortAll();
  }

  async stop(): Promise<void> {
    this.#draining = true;
    this.#abortAll();
  }

  #abortAll(): void {
    for (const attempt of [...this.#attempts.values()]) {
      this.#end(attempt, new ShoalError('aborted', 'the device was stopped before the task was done'));
    }
  }

  #refusal(assignment: TaskAssignment, pipeline: Pipeline | undefined): string | undefined {
    const { model, variant, timeLeftMs } = assignment;
    const needsModel = pipeline?.task !== undefined;
    const eachMs = needsModel ? this.#deps.expectedMs(model, variant) : undefined;
    const before = this.#places.taken / Math.max(1, this.#places.concurrency - 1);
    return refusalOf(
      {
        draining: this.#draining,
        pipelineKnown: pipeline !== undefined,
        modelKnown: !needsModel || this.#deps.shelf.knows(model, variant),
        condition: this.#deps.condition.latest,
        queued: this.#places.queued,
        inputBytes: this.#places.inputBytes + Math.min(assignment.inputSizeBytes, this.#options.mostInputBytes),
        expectedMs: eachMs === undefined ? undefined : (before + 1) * eachMs,
        timeLeftMs,
      },
      this.#options.limits,
    );
  }

  #admit(assignment: TaskAssignment, pipeline: Pipeline, attached: Uint8Array | undefined): void {
    const { clock } = this.#deps;
    const attempt: Attempt = {
      assignment,
      pipeline,
      attached,
      admittedMs: clock.monotonicMs(),
      abort: new AbortController(),
      cancelDeadline: () => {},
    };
    this.#attempts.set(assignment.attemptId, attempt);
    this.#places.take(assignment.inputSizeBytes);
    if (assignment.timeLeftMs > 0) {
      attempt.cancelDeadline = clock.after('work: deadline of a task', assignment.timeLeftMs, () =>
        this.#end(attempt, new ShoalError('work.expired', 'the deadline passed before the work was done')),
      );
    }
    // Without a model there is nothing to wait for: it runs in this turn, and its outcome leaves under one signature with its admission.
    if (pipeline.task === undefined) void Promise.resolve().then(() => this.#run(attempt));
    else {
      const run = () => {
        this.#waiting.delete(attempt);
        return this.#run(attempt);
      };
      this.#waiting.set(attempt, run);
      this.#places.enqueue(run);
    }
  }

  /** Ends an attempt from outside: its outcome is sent now, and what its pipeline still does is nobody's business any more. */
  #end(attempt: Attempt, reason: ShoalError): void {
    attempt.abort.abort(reason);
    this.#leaveLine(attempt);
    this.#fail(attempt, reason);
  }

  #leaveLine(attempt: Attempt): void {
    const run = this.#waiting.get(attempt);
    if (!run) return;
    this.#waiting.delete(attempt);
    this.#places.leave(run);
  }

  async #run(attempt: Attempt): Promise<void> {
    const { clock } = this.#deps;
    const timings: Timings = {
      queuedMs: clock.monotonicMs() - attempt.admittedMs,
      transferMs: 0,
      loadMs: 0,
      decodeMs: 0,
      inferenceMs: 0,
    };
    try {
      const outcome = await this.#runner.run(attempt, timings);
      if (outcome) this.#finish(attempt, outcome, timings);
    } catch (thrown) {
      if (endedBy(attempt)) return;
      const error = asShoalError(thrown);
      if (error.code === 'defect')
        this.#deps.logger.error('a task met a defect', { attempt: attempt.assignment.attemptId, error: error.stack });
      this.#fail(attempt, error, timings);
    }
  }

  #fail(attempt: Attempt, error: ShoalError, timings?: Timings): void {
    this.#finish(attempt, { errorCode: error.code, errorMessage: error.message }, timings);
  }

  #finish(
    attempt: Attempt,
    outcome: Finished | { readonly errorCode: string; readonly errorMessage: string },
    timings: Timings = { queuedMs: 0, transferMs: 0, loadMs: 0, decodeMs: 0, inferenceMs: 0 },
  ): void {
    const { taskId, attemptId, inputSizeBytes } = attempt.assignment;
    if (!this.#attempts.delete(attemptId)) return;
    attempt.cancelDeadline();
    this.#places.giveBack(inputSizeBytes);
    const totalMs = this.#deps.clock.monotonicMs() - attempt.admittedMs;
    try {
      this.#deps.outbox.add({
        kind: 'task-outcome',
        message: { taskId, attemptId, ...outcome, timings: { ...timings, totalMs } },
      });
    } catch (error) {
      // The coordinator tries the task elsewhere when its lease is over.
      this.#deps.logger.warn('the outcome of a task has no room in the outbox', {
        attempt: attemptId,
        why: asShoalError(error).message,
      });
    }
    if (this.#attempts.size === 0) this.#onIdle?.();
  }
}
