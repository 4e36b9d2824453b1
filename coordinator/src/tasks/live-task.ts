import type { PeerId } from '@shoal/protocol';
import type { Attempt, Task } from '../domain/index.ts';
import type { ResolvedPipeline } from '../pipelines/index.ts';
import type { FleetDevice, Share } from '../registry/index.ts';

/** Attempts that are kept of one task; of a longer story the first ones are forgotten. */
export const mostAttemptsKept = 64;

/** A task that has not ended, while the coordinator runs. */
export class LiveTask {
  task: Task;
  readonly resolved: ResolvedPipeline;
  /** Tasks of one class can be done by the same devices: when one of them has to wait, the others wait too. */
  readonly className: string;
  /** The attempt that is with a device now. */
  current: RunningAttempt | undefined;
  /** Whether the store knows of it. Until then nobody was promised anything, and nothing else is written of it. */
  recorded = false;
  /** Why the last attempt that counted did not succeed. */
  failure: { readonly code: string; readonly reason: string } | undefined;
  /** Settles when an end that is being made durable is, or is not. */
  ending: Promise<void> | undefined;
  readonly tried = new Set<PeerId>();
  readonly declined = new Map<PeerId, string>();
  readonly watchers = new Set<(task: Task) => void>();

  /** When its deadline passes, on the monotonic clock: wall clocks are set right, or wrong, while tasks wait. */
  readonly dueMs: number;

  constructor(task: Task, resolved: ResolvedPipeline, dueMs: number) {
    this.task = task;
    this.resolved = resolved;
    this.dueMs = dueMs;
    this.className = classOf(task);
  }

  get id(): string {
    return this.task.id;
  }

  tell(): void {
    if (this.watchers.size > 0) for (const watcher of [...this.watchers]) watcher(this.task);
  }
}

/** An attempt that is with a device, or on its way there. */
export interface RunningAttempt {
  readonly id: string;
  readonly live: LiveTask;
  readonly device: FleetDevice;
  readonly model: string | undefined;
  readonly variant: string | undefined;
  /** What it is expected to take of the device. */
  readonly share: Share;
  readonly leaseMs: number;
  /** Ends the offer while it is not answered. */
  readonly abort: AbortController;
  accepted: boolean;
}

export function withAttempt(task: Task, id: string, change: Partial<Attempt>): readonly Attempt[] {
  return task.attempts.map((attempt) => (attempt.id === id ? { ...attempt, ...change } : attempt));
}

/** Tries that count against the task's limit: a device that did not take it has not tried. */
export function triesOf({ attempts }: Task): number {
  let tries = 0;
  for (const { state } of attempts) if (state === 'failed' || state === 'lost') tries += 1;
  return tries;
}

function classOf({ spec }: Task): string {
  const {
    pipeline,
    model = '',
    variant = '',
    device = '',
    accuracyLoss = '',
    objects = '',
    critical,
    accelerator,
  } = spec;
  const labels = Object.entries(spec.labels);
  const sorted = labels.length === 0 ? '' : JSON.stringify(labels.sort());
  return `${pipeline} ${model} ${variant} ${device} ${accuracyLoss} ${objects} ${critical} ${accelerator} ${sorted}`;
}
