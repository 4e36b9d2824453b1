import type { AttemptState, TaskState } from '../domain/index.ts';

/** What happened since the start. */
export class TaskCounts {
  submitted = 0;
  placed = 0;
  unplaced = 0;
  resultsKept = 0;
  resultsDropped = 0;
  resultsRefused = 0;
  readonly ended: Record<TaskState, number> = {
    queued: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    expired: 0,
    cancelled: 0,
  };
  readonly attempts: Record<AttemptState, number> = {
    offered: 0,
    accepted: 0,
    succeeded: 0,
    failed: 0,
    refused: 0,
    lost: 0,
    cancelled: 0,
  };
}
