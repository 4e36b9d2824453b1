import { type Static, Type } from 'typebox';
import type { Task } from '../../domain/index.ts';
import { placementSummary } from '../../placement/index.ts';
import { named, present } from './schema.ts';

const Candidate = Type.Object({
  device: Type.String(),
  model: Type.Optional(Type.String()),
  variant: Type.Optional(Type.String()),
  accuracy: Type.Optional(Type.Number({ description: 'Of the model, 0..1: mAP or top-1.' })),
  queueMs: Type.Number(),
  transferMs: Type.Number(),
  loadMs: Type.Number(),
  inferenceMs: Type.Number(),
  totalMs: Type.Number({ description: 'Expected time until the result is there, from the profile of the device.' }),
  p95Ms: Type.Number({ description: 'What the whole does not exceed in 95 of 100 cases.' }),
  energyJ: Type.Number({ description: 'What it draws above idling, joules.' }),
  cost: Type.Object(
    {
      lateness: Type.Number({ description: 'Being late, by how much and how surely.' }),
      time: Type.Number(),
      energy: Type.Number({ description: 'Joules at the price that they have on that device now.' }),
      accuracy: Type.Number({ description: 'Accuracy given up against the best choice.' }),
      scarcity: Type.Number({ description: 'An accelerator that others may need.' }),
      decode: Type.Number({ description: 'A camera that is decoded at a lower level than it might be.' }),
      move: Type.Number({ description: 'Moving work that runs already.' }),
      total: Type.Number(),
    },
    { description: 'What this placement would cost, in joules of the mains.' },
  ),
  guessed: Type.Optional(Type.Boolean({ description: 'What its model takes there was not measured.' })),
  trial: Type.Optional(
    Type.Boolean({
      description: 'Too slow by what the device says of itself, which no run has shown yet: it is tried.',
    }),
  ),
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
        summary: Type.String({
          description: 'Why this device, in one sentence: what weighed most against the next best one.',
        }),
        placement: Type.Object({
          strategy: Type.String(),
          chosen: Candidate,
          together: Type.Optional(
            Type.Literal(true, {
              description: 'It was decided together with other work, which needs what this alone would have got.',
            }),
          ),
          others: Type.Array(Candidate),
          refused: Type.Array(PlacementRefusal),
          considered: Type.Integer({ description: 'How many devices were looked at.' }),
        }),
      }),
    ),
  }),
);
export type TaskPlacement = Static<typeof TaskPlacement.definition>;

/** @param nameOf what a device is called. */
export function placementView(task: Task, nameOf: (device: string) => string): TaskPlacement {
  return present<TaskPlacement>({
    task: task.id,
    state: task.state,
    reason: task.reason,
    attempts: task.attempts.map(({ id, device, state, reason, placement }) =>
      present<TaskPlacement['attempts'][number]>({
        id,
        device,
        state,
        reason,
        summary: placementSummary(placement, nameOf),
        placement,
      }),
    ),
  });
}
