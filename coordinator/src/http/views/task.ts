import { objectCounts } from '@shoal/models/manifest';
import { type Static, Type } from 'typebox';
import type { Attempt, Task as DomainTask } from '../../domain/index.ts';
import { Result } from './result.ts';
import { DeviceId, Digest, Labels, named, Timestamp, timestamp } from './schema.ts';

export const taskStates = ['queued', 'running', 'succeeded', 'failed', 'expired', 'cancelled'] as const;

export const TaskState = Type.Unsafe<DomainTask['state']>({
  type: 'string',
  enum: [...taskStates],
  description: '`succeeded`, `failed`, `expired` and `cancelled` are final.',
});

const fields = {
  pipeline: Type.String({
    minLength: 1,
    maxLength: 64,
    default: 'detect',
    examples: ['detect', 'classify', 'noop'],
  }),
  model: Type.String({ minLength: 1, maxLength: 128 }),
  variant: Type.String({ minLength: 1, maxLength: 64 }),
  parameters: Type.Record(Type.String(), Type.Unknown(), {
    maxProperties: 64,
    description: 'Of the pipeline, for example `{ "minScore": 0.5 }`.',
  }),
  deadlineMs: Type.Integer({
    minimum: 1,
    maximum: 7 * 86_400_000,
    default: 60_000,
    description: 'Time from submission within which the result must be there.',
  }),
  labels: Labels,
  device: DeviceId,
  accuracyLoss: Type.Number({
    minimum: 0,
    maximum: 1,
    description:
      'Accuracy (mAP, top-1) that may be given up against the model that is asked for: other models of the pipeline may then be run.',
    examples: [0.05],
  }),
  objects: Type.Union(
    objectCounts.map((count) => Type.Literal(count)),
    {
      description:
        'How many things are expected on the picture: `few` are up to three, `some` up to seven. The accuracy of a model is then what it reaches on such pictures.',
    },
  ),
  critical: Type.Boolean({ description: 'May take batteries down to the critical floor.' }),
  accelerator: Type.Boolean({ description: 'Only devices with a GPU, NPU or TPU that works.' }),
  maxAttempts: Type.Integer({ minimum: 1, maximum: 20, default: 3 }),
};

/** What a caller may set beside the input. */
export const taskOptions = {
  pipeline: Type.Optional(fields.pipeline),
  model: Type.Optional(fields.model),
  variant: Type.Optional(fields.variant),
  parameters: Type.Optional(fields.parameters),
  deadlineMs: Type.Optional(fields.deadlineMs),
  labels: Type.Optional(fields.labels),
  device: Type.Optional(fields.device),
  accuracyLoss: Type.Optional(fields.accuracyLoss),
  objects: Type.Optional(fields.objects),
  critical: Type.Optional(fields.critical),
  accelerator: Type.Optional(fields.accelerator),
  maxAttempts: Type.Optional(fields.maxAttempts),
};

export const TaskRequest = named(
  'TaskRequest',
  Type.Object(
    {
      ...taskOptions,
      input: Type.Optional(
        Type.Union(
          [
            Type.Object({ blob: Digest }, { additionalProperties: false, title: 'A blob that was stored before' }),
            Type.Object(
              { url: Type.String({ minLength: 1, maxLength: 2048, pattern: '^https?://' }) },
              { additionalProperties: false, title: 'Fetched by the coordinator' },
            ),
          ],
          { description: 'Needed by every pipeline but `noop`.' },
        ),
      ),
    },
    { additionalProperties: false },
  ),
);
export type TaskRequest = Static<typeof TaskRequest.definition>;

const Timings = Type.Object({
  queuedMs: Type.Number(),
  transferMs: Type.Number(),
  loadMs: Type.Number(),
  decodeMs: Type.Number(),
  inferenceMs: Type.Number(),
  totalMs: Type.Number(),
});

const AttemptView = Type.Object({
  id: Type.String(),
  device: Type.String(),
  model: Type.Optional(Type.String()),
  variant: Type.Optional(Type.String()),
  state: Type.String({
    examples: ['offered', 'accepted', 'succeeded', 'failed', 'refused', 'lost', 'cancelled'],
  }),
  startedAt: Timestamp,
  endedAt: Type.Optional(Timestamp),
  reason: Type.Optional(Type.String()),
  timings: Type.Optional(Timings),
});

export const Task = named(
  'Task',
  Type.Object({
    id: Type.String(),
    state: TaskState,
    reason: Type.Optional(Type.String({ description: 'Why it ended as it did, or why it still waits, for a person.' })),
    errorCode: Type.Optional(Type.String({ description: 'Code of docs/errors.md when `failed` or `expired`.' })),
    pipeline: Type.String(),
    model: Type.Optional(Type.String()),
    variant: Type.Optional(Type.String()),
    input: Type.Optional(Type.Object({ digest: Type.String(), sizeBytes: Type.Number(), mediaType: Type.String() })),
    parameters: Type.Record(Type.String(), Type.Unknown()),
    labels: Labels,
    device: Type.Optional(Type.String({ description: 'The only device that may do it.' })),
    accuracyLoss: Type.Optional(Type.Number()),
    objects: Type.Optional(Type.String()),
    critical: Type.Optional(Type.Boolean()),
    accelerator: Type.Optional(Type.Boolean()),
    deadlineMs: Type.Number(),
    maxAttempts: Type.Integer(),
    createdAt: Timestamp,
    expiresAt: Timestamp,
    endedAt: Type.Optional(Timestamp),
    attempts: Type.Array(AttemptView),
    result: Type.Optional(Result.ref),
  }),
);
export type Task = Static<typeof Task.definition>;

/** Members without a value are `undefined`; the compiled serializer leaves them out. This is the hot path of `dispatch`. */
export function taskView(task: DomainTask, result?: Result): Task {
  const { spec } = task;
  const view: { [K in keyof Task]-?: unknown } = {
    id: task.id,
    state: task.state,
    reason: task.reason,
    errorCode: task.errorCode,
    pipeline: spec.pipeline,
    model: spec.model,
    variant: spec.variant,
    input: spec.input,
    parameters: spec.parameters,
    labels: spec.labels,
    device: spec.device,
    accuracyLoss: spec.accuracyLoss,
    objects: spec.objects,
    critical: spec.critical,
    accelerator: spec.accelerator,
    deadlineMs: spec.deadlineMs,
    maxAttempts: spec.maxAttempts,
    createdAt: timestamp(task.createdAtMs),
    expiresAt: timestamp(task.expiresAtMs),
    endedAt: task.endedAtMs === undefined ? undefined : timestamp(task.endedAtMs),
    attempts: task.attempts.map(attemptView),
    result,
  };
  return view as Task;
}

function attemptView(attempt: Attempt): Static<typeof AttemptView> {
  const { id, device, model, variant, state, reason, timings } = attempt;
  const endedAt = attempt.endedAtMs === undefined ? undefined : timestamp(attempt.endedAtMs);
  const view = {
    id,
    device,
    model,
    variant,
    state,
    startedAt: timestamp(attempt.startedAtMs),
    endedAt,
    reason,
    timings,
  };
  return view as Static<typeof AttemptView>;
}
