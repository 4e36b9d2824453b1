import { type Static, Type } from 'typebox';
import type { Task } from '../../domain/index.ts';
import { named, present } from './schema.ts';

const Candidate = Type.Object({
  device: Type.String(),
  variant: Type.Optional(Type.String()),
  queueMs: Type.Number(),
  transferMs: Type.Number(),
  loadMs: Type.Number(),
  inferenceMs: Type.Number(),
  totalMs: Type.Number({ description: 'Expected time until the result is there, from the profile of the device.' }),
});

export const PlacementRefusal = Type.Object({
  device: Type.String(),
  reason: Type.String({ examples: ['battery', 'no-model', 'labels'] }),
  detail: Type.String(),
});

export const TaskPlacement = named(
  'TaskPlacement',
  Type.Object({
    task: Type.String(),
    state: Type.String(),
    reason: Type.Optional(Type.String({ description: 'Why it ended as it did, or why it still waits.' })),
    attempts: Type.Array(
      Type.Object({
        id: Type.String(),
        device: Type.String(),
        state: Type.String(),
        reason: Type.Optional(Type.String()),
        placement: Type.Object({
          strategy: Type.String(),
          chosen: Candidate,
          others: Type.Array(Candidate),
          refused: Type.Array(PlacementRefusal),
          considered: Type.Integer({ description: 'How many devices were looked at.' }),
        }),
      }),
    ),
  }),
);
export type TaskPlacement = Static<typeof TaskPlacement.definition>;

export function placementView(task: Task): TaskPlacement {
  return present<TaskPlacement>({
    task: task.id,
    state: task.state,
    reason: task.reason,
    attempts: task.attempts.map(({ id, device, state, reason, placement }) =>
      present<TaskPlacement['attempts'][number]>({ id, device, state, reason, placement }),
    ),
  });
}
