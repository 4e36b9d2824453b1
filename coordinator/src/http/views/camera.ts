import { redactSource } from '@shoal/protocol';
import { type Static, Type } from 'typebox';
import type { CameraSpec, CameraView } from '../../domain/index.ts';
import { CameraStatus, cameraStatusView } from './camera-status.ts';
import { PlacementRefusal } from './placement.ts';
import { DeviceId, Labels, named, present, Timestamp, timestamp } from './schema.ts';

const spec = {
  name: Type.String({ minLength: 1, maxLength: 128 }),
  pipeline: Type.String({ minLength: 1, maxLength: 64, default: 'detect' }),
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
  device: DeviceId,
};

/** What a caller sends: to create a camera, and, whole, to replace it. */
export const CameraRequest = named(
  'CameraRequest',
  Type.Object(
    {
      source: Type.String({
        minLength: 1,
        maxLength: 2048,
        description:
          'URL (`rtsp://`, `http://` ...) or a path on the device. It may carry a password, which no answer ever shows.',
        examples: ['rtsp://viewer:secret@192.168.1.20/stream1'],
      }),
      name: Type.Optional(spec.name),
      pipeline: Type.Optional(spec.pipeline),
      model: Type.Optional(spec.model),
      variant: Type.Optional(spec.variant),
      targetFps: Type.Optional(spec.targetFps),
      parameters: Type.Optional(spec.parameters),
      loop: Type.Optional(spec.loop),
      labels: Type.Optional(Labels),
      device: Type.Optional(spec.device),
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
    parameters: Type.Record(Type.String(), Type.Unknown()),
    loop: Type.Boolean(),
    labels: Labels,
    onlyDevice: Type.Optional(Type.String({ description: 'The device that the camera is bound to.' })),
    revision: Type.Integer({ description: 'Goes up with every change.' }),
    createdAt: Timestamp,
    device: Type.Optional(Type.String({ description: 'Where it runs. Missing while no device can take it.' })),
    reason: Type.String({ description: 'Why it runs there, or why it waits.' }),
    refused: Type.Array(PlacementRefusal),
    status: Type.Optional(CameraStatus),
  }),
);
export type Camera = Static<typeof Camera.definition>;

/** A request as the whole spec. `previous` is the camera that it replaces: its source, as it was shown, stands for the real one. */
export function cameraSpec(request: CameraRequest, previous?: CameraSpec): CameraSpec {
  const unchanged = previous !== undefined && request.source === redactSource(previous.source);
  return present<CameraSpec>({
    name: request.name ?? previous?.name ?? nameOf(request.source),
    source: unchanged ? previous.source : request.source,
    pipeline: request.pipeline ?? 'detect',
    model: request.model,
    variant: request.variant,
    targetFps: request.targetFps ?? 5,
    parameters: request.parameters ?? {},
    loop: request.loop ?? false,
    labels: request.labels ?? {},
    device: request.device,
  });
}

export function cameraView({ id, spec, revision, createdAtMs, device, reason, refused, status }: CameraView): Camera {
  const { device: onlyDevice, source, ...rest } = spec;
  return present<Camera>({
    id,
    ...rest,
    source: redactSource(source),
    onlyDevice,
    revision,
    createdAt: timestamp(createdAtMs),
    device,
    reason,
    refused: [...refused],
    status: status && cameraStatusView(status),
  });
}

/** `people.webm` of a path, the host of a URL. */
function nameOf(source: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? URL.parse(source) : null;
  const name = url?.hostname || source.split(/[/\\]/).at(-1) || 'camera';
  return name.slice(0, 128);
}
