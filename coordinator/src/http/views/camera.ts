import { redactSource } from '@shoal/protocol';
import { type Static, Type } from 'typebox';
import { type CameraSpec, type CameraView, usualPriority } from '../../domain/index.ts';
import { CameraStatus, cameraStatusView } from './camera-status.ts';
import { PlacementRefusal } from './placement.ts';
import { DeviceId, Labels, named, present, Timestamp, timestamp } from './schema.ts';

const spec = {
  name: Type.String({ minLength: 1, maxLength: 128 }),
  pipeline: Type.String({
    minLength: 1,
    maxLength: 64,
    default: 'watch',
    description:
      '`watch`: who is there, where they go, and when they leave; only when something moves. `detect`, `classify`: each picture on its own.',
  }),
  model: Type.String({ minLength: 1, maxLength: 128, description: 'The default model of the pipeline unless told.' }),
  variant: Type.String({ minLength: 1, maxLength: 64 }),
  targetFps: Type.Number({
    exclusiveMinimum: 0,
    maximum: 240,
    default: 5,
    description: 'Pictures to analyse a second.',
  }),
  parameters: Type.Record(Type.String(), Type.Unknown(), { description: 'Of the pipeline, for example `minScore`.' }),
  loop: Type.Boolean({ default: false, description: 'Play a file again from its start when it ends.' }),
  priority: Type.Integer({
    minimum: 0,
    maximum: 9,
    default: usualPriority,
    description:
      'Who has less gives way first when not everything fits: decoded at a lower level, then analysed less often, then moved, then it waits.',
  }),
  p95Ms: Type.Number({
    exclusiveMinimum: 0,
    maximum: 3_600_000,
    description: 'Within this time of being decoded, 95 of 100 pictures are to be analysed.',
  }),
  substream: Type.String({
    minLength: 1,
    maxLength: 2048,
    description: 'URL of the same picture in small, decoded where there is no room for the source. As secret as that.',
    examples: ['rtsp://viewer:secret@192.168.1.20/stream2'],
  }),
  paused: Type.Boolean({ default: false, description: 'Nobody watches it until this is taken back.' }),
  device: DeviceId,
};

const Grant = Type.Object(
  {
    model: Type.String(),
    variant: Type.String(),
    decode: Type.String({
      examples: ['full', 'skip', 'keyframes', 'substream'],
      description: 'How much of the source is decoded.',
    }),
    fps: Type.Number({ description: 'Pictures that its device may analyse a second.' }),
  },
  { description: 'What the camera was given along with its device.' },
);

const Move = Type.Object({
  at: Timestamp,
  from: Type.String(),
  to: Type.String(),
  reason: Type.String({ description: 'Why it left.' }),
  gapMs: Type.Optional(Type.Number({ description: 'From the last result before it to the first one after it.' })),
});

/** What a caller sends: to create a camera, and, whole, to replace it. */
export const CameraRequest = named(
  'CameraRequest',
  Type.Object(
    {
      source: Type.String({
        minLength: 1,
        maxLength: 2048,
        description:
          'URL (`rtsp://`, `http://` ...) or a path on the device, which may carry a password that no answer ever shows; or `push:` for a camera that sends its pictures by itself.',
        examples: ['rtsp://viewer:secret@192.168.1.20/stream1'],
      }),
      name: Type.Optional(spec.name),
      pipeline: Type.Optional(spec.pipeline),
      model: Type.Optional(spec.model),
      variant: Type.Optional(spec.variant),
      targetFps: Type.Optional(spec.targetFps),
      p95Ms: Type.Optional(spec.p95Ms),
      priority: Type.Optional(spec.priority),
      substream: Type.Optional(spec.substream),
      parameters: Type.Optional(spec.parameters),
      loop: Type.Optional(spec.loop),
      labels: Type.Optional(Labels),
      device: Type.Optional(spec.device),
      paused: Type.Optional(spec.paused),
    },
    { additionalProperties: false },
  ),
);
export type CameraRequest = Static<typeof CameraRequest.definition>;

export const Camera = named(
  'Camera',
  Type.Object({
    id: Type.String(),
    name: Type.String(),
    source: Type.String({ description: 'Without its password.' }),
    pipeline: Type.String(),
    model: Type.Optional(Type.String()),
    variant: Type.Optional(Type.String()),
    targetFps: Type.Number(),
    p95Ms: Type.Optional(Type.Number()),
    priority: Type.Integer(),
    substream: Type.Optional(Type.String({ description: 'Without its password.' })),
    parameters: Type.Record(Type.String(), Type.Unknown()),
    loop: Type.Boolean(),
    labels: Labels,
    paused: Type.Optional(Type.Boolean({ description: 'Nobody watches it until this is taken back.' })),
    onlyDevice: Type.Optional(Type.String({ description: 'The device that the camera is bound to.' })),
    revision: Type.Integer({ description: 'Goes up with every change.' }),
    createdAt: Timestamp,
    device: Type.Optional(Type.String({ description: 'Where it runs. Missing while no device can take it.' })),
    reason: Type.String({ description: 'Why it runs there, or why it waits.' }),
    refused: Type.Array(PlacementRefusal),
    grant: Type.Optional(Grant),
    moves: Type.Array(Move, { description: 'From device to device, newest last.' }),
    service: Type.Object(
      { met: Type.Boolean(), detail: Type.String({ description: 'Why not, when it is not.' }) },
      { description: 'Whether it gets what was asked for, by what its device measures.' },
    ),
    pushed: Type.Optional(
      Type.Object(
        { taken: Type.Integer(), dropped: Type.Integer() },
        { description: 'Pictures that the camera has sent by itself since the coordinator started.' },
      ),
    ),
    status: Type.Optional(CameraStatus),
  }),
);
export type Camera = Static<typeof Camera.definition>;

/** A request as the whole spec. `previous` is the camera that it replaces: its source, as it was shown, stands for the real one. */
export function cameraSpec(request: CameraRequest, previous?: CameraSpec): CameraSpec {
  return present<CameraSpec>({
    name: request.name ?? previous?.name ?? nameOf(request.source),
    source: unlessShown(request.source, previous?.source),
    substream: unlessShown(request.substream, previous?.substream),
    pipeline: request.pipeline ?? 'watch',
    model: request.model,
    variant: request.variant,
    targetFps: request.targetFps ?? 5,
    p95Ms: request.p95Ms,
    priority: request.priority,
    parameters: request.parameters ?? {},
    loop: request.loop ?? false,
    labels: request.labels ?? {},
    device: request.device,
    paused: request.paused || undefined,
  });
}

/** A source as an answer showed it stays what it was. */
function unlessShown(asked: string | undefined, before: string | undefined): string | undefined {
  return asked !== undefined && before !== undefined && asked === redactSource(before) ? before : asked;
}

export function cameraView(camera: CameraView): Camera {
  const {
    id,
    spec,
    revision,
    createdAtMs,
    device,
    reason,
    refused,
    grant,
    moves = [],
    service,
    status,
    pushed,
  } = camera;
  const { device: onlyDevice, source, substream, ...rest } = spec;
  return present<Camera>({
    id,
    ...rest,
    source: redactSource(source),
    substream: substream === undefined ? undefined : redactSource(substream),
    priority: spec.priority ?? usualPriority,
    onlyDevice,
    revision,
    createdAt: timestamp(createdAtMs),
    device,
    reason,
    refused: [...refused],
    grant,
    moves: moves.map(({ atMs, ...move }) => ({ at: timestamp(atMs), ...move })),
    service,
    pushed,
    status: status && cameraStatusView(status),
  });
}

/** `people.webm` of a path, the host of a URL. */
function nameOf(source: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? URL.parse(source) : null;
  const name = url?.hostname || source.split(/[/\\]/).at(-1) || 'camera';
  return name.slice(0, 128);
}
