import type { TaskState } from '../domain/index.ts';

const states: Readonly<Record<TaskState, true>> = {
  queued: true,
  running: true,
  succeeded: true,
  failed: true,
  expired: true,
  cancelled: true,
};

export const taskStates = Object.keys(states) as TaskState[];
