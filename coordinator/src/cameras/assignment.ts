import { type CameraAssignmentInit, ShoalError } from '@shoal/protocol';
import type { Camera, CameraGrant, Placement, PlacementCandidate } from '../domain/index.ts';
import type { LiveCamera } from './live-camera.ts';

/** What its device gives the camera. One that nothing was granted yet is asked for as it was ordered. */
export function grantNow({ camera: { grant, spec }, resolved }: Pick<LiveCamera, 'camera' | 'resolved'>): CameraGrant {
  const [first] = resolved?.choices ?? [];
  return (
    grant ?? { model: first?.model ?? '', variant: first?.variant.name ?? '', decode: 'full', fps: spec.targetFps }
  );
}

/** What the device is asked to do. */
export function assignmentOf(live: Pick<LiveCamera, 'camera' | 'resolved'>): CameraAssignmentInit {
  const { id, revision, spec } = live.camera;
  const { model, variant, decode, fps } = grantNow(live);
  return {
    cameraId: id,
    revision,
    name: spec.name,
    source: spec.source,
    pipeline: spec.pipeline,
    model,
    variant,
    targetFps: fps,
    parametersJson: Object.keys(spec.parameters).length === 0 ? '' : JSON.stringify(spec.parameters),
    loop: spec.loop,
    decode,
    substream: spec.substream ?? '',
  };
}

/** All that the camera asks for, of what was chosen; what of it there is room for is seen when it is there. */
export function grantOf(
  { chosen: { model = '', variant = '', decode = 'full' } }: Placement,
  { spec }: Camera,
): CameraGrant {
  return { model, variant, decode, fps: spec.targetFps };
}

export function needText({ spec, grant }: Camera, { inferenceMs, guessed }: PlacementCandidate): string {
  const each = guessed
    ? `a guess of ${inferenceMs.toFixed(0)} ms per frame, until its device has measured the model,`
    : `expected to need ${inferenceMs.toFixed(1)} ms per frame`;
  const need = `${each} for ${spec.targetFps} frames per second`;
  return `${need}${grant ? grantText(grant, spec.targetFps) : ''}`;
}

/** What of it there is no room for. */
function grantText({ decode, fps }: CameraGrant, targetFps: number): string {
  const level = decode === 'full' ? '' : `; decoded at ${decode}`;
  return fps < targetFps ? `${level}; given ${fps.toFixed(1)} of them` : level;
}

/** @throws `defect` */
export function resolvedOf({ resolved }: LiveCamera): NonNullable<LiveCamera['resolved']> {
  if (!resolved) throw new ShoalError('defect', 'a camera without a model cannot be placed');
  return resolved;
}
