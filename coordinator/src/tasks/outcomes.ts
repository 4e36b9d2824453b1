import {
  asShoalError,
  type Clock,
  errorCatalogue,
  isErrorCode,
  type Logger,
  newId,
  type Random,
  type TaskOutcome,
} from '@shoal/protocol';
import type { Attempt, ResultRecord } from '../domain/index.ts';
import type { ModelIndex } from '../pipelines/index.ts';
import { type FleetDevice, sanitiseTimings, text } from '../registry/index.ts';
import { checkResult, emptyInputDigest, type ResultShelf } from '../results/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type LiveTask, withAttempt } from './live-task.ts';
import type { LiveTasks } from './live-tasks.ts';
import type { TaskCounts } from './task-counts.ts';

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly live: LiveTasks;
  readonly dispatcher: Dispatcher;
  readonly results: ResultShelf;
  readonly counts: TaskCounts;
  readonly models: ModelIndex;
}

/** Takes in what became of attempts. One result is kept per task, whichever attempt brings it first. */
export class Outcomes {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Resolves when the outcome may be acknowledged: its result is durable, or it is not needed.
   * @throws `attestation.invalid` and its kind when the result is not believed; `io.disk-full`, `io.failed` when it cannot be kept now.
   */
  async take(device: FleetDevice, outcome: TaskOutcome): Promise<void> {
    const { live: tasks, counts } = this.#deps;
    const live = tasks.get(outcome.taskId);
    const attempt = live?.task.attempts.find(({ id }) => id === outcome.attemptId);
    if (!live || attempt?.device !== device.id) {
      // Its task has ended, or the attempt was forgotten in a crash and tried again.
      counts.resultsDropped += 1;
      return;
    }
    if (live.ending !== undefined) {
      await live.ending.catch(() => {});
      // When the end was not recorded the task goes on, and this counts again.
      return this.take(device, outcome);
    }
    if (outcome.errorCode !== '') this.#failed(live, attempt, device, outcome);
    else await this.#succeeded(live, attempt, device, outcome);
  }

  async #succeeded(live: LiveTask, attempt: Attempt, device: FleetDevice, outcome: TaskOutcome): Promise<void> {
    const { clock, random, live: tasks, results, counts } = this.#deps;
    const { spec } = live.task;
    const result = this.#checked(live, attempt, device, outcome);
    const nowMs = clock.nowMs();
    const record: ResultRecord = {
      id: newId('res', nowMs, random),
      work: { task: live.id, attempt: attempt.id },
      device: device.id,
      receivedAtMs: nowMs,
      result: outcome.result,
      attestation: outcome.attestation,
    };
    const timings = outcome.timings && sanitiseTimings(outcome.timings);
    if (timings && attempt.model !== undefined && attempt.variant !== undefined) {
      device.learn(attempt.model, attempt.variant, timings, spec.input?.sizeBytes ?? 0, clock.monotonicMs());
    }
    const ended = { state: 'succeeded', endedAtMs: nowMs, ...(timings && { timings }) } as const;
    const attempts = withAttempt(live.task, attempt.id, ended);
    await tasks.end(live, { state: 'succeeded', attempts }, [{ kind: 'result', result: record }]);
    counts.resultsKept += 1;
    results.publish(record, result);
  }

  #checked(live: LiveTask, attempt: Attempt, device: FleetDevice, outcome: TaskOutcome) {
    const { task } = live;
    const model = attempt.model === undefined ? undefined : this.#deps.models.get(attempt.model);
    try {
      return checkResult(outcome, device.key, {
        work: { task: task.id, attempt: attempt.id },
        pipeline: task.spec.pipeline,
        inputDigest: task.spec.input?.digest ?? emptyInputDigest,
        ...(model && { model }),
        ...(attempt.variant !== undefined && { variant: attempt.variant }),
      });
    } catch (thrown) {
      const error = asShoalError(thrown);
      this.#deps.counts.resultsRefused += 1;
      this.#deps.logger.warn('a result is not believed', {
        device: device.id,
        attempt: attempt.id,
        why: error.message,
      });
      this.#end(live, attempt, device, {
        code: error.code,
        reason: `its result is not believed: ${error.message}`,
        again: true,
      });
      throw error;
    }
  }

  #failed(live: LiveTask, attempt: Attempt, device: FleetDevice, outcome: TaskOutcome): void {
    const code = isErrorCode(outcome.errorCode) ? outcome.errorCode : 'reply.failed';
    const { blame, retryable } = errorCatalogue[code];
    const reason = text(outcome.errorMessage, 500) || errorCatalogue[code].title;
    // What the caller got wrong stays wrong on every device.
    this.#end(live, attempt, device, {
      code,
      reason,
      again: retryable || blame !== 'caller' || code === 'work.cancelled',
    });
  }

  #end(
    live: LiveTask,
    attempt: Attempt,
    device: FleetDevice,
    { code, reason, again }: { readonly code: string; readonly reason: string; readonly again: boolean },
  ): void {
    const { dispatcher, live: tasks } = this.#deps;
    // A device that hands work back has not tried it.
    const state = code === 'work.refused' ? 'refused' : 'failed';
    const current = live.current?.id === attempt.id ? live.current : undefined;
    if (!current) return;
    dispatcher.finish(current, state, reason);
    if (state === 'failed') live.tried.add(device.id);
    if (again) dispatcher.retry(live, { code, reason: `on ${device.record.name}: ${reason}` });
    else {
      // When that cannot be recorded it waits, and is tried again.
      tasks.end(live, { state: 'failed', errorCode: code, reason }).catch(() => {});
    }
  }
}
