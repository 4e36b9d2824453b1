import { type CameraStatus, pushSource } from '@shoal/protocol';
import type { Camera, ServiceLevel } from '../domain/index.ts';
import { nearlyAll } from '../placement/index.ts';

/** Whether a camera gets what was asked for, by what its device measures; and when not, why. */
export function serviceLevelOf(
  { device, reason, spec, grant }: Camera,
  status: CameraStatus | undefined,
): ServiceLevel {
  if (spec.paused) return { met: true, detail: 'it is paused' };
  if (device === undefined) return { met: false, detail: `waits for a device: ${reason}` };
  if (spec.source === pushSource && status?.state !== 'failed')
    return { met: true, detail: 'its pictures are looked at when it sends them' };
  if (!status || status.frames === 0 || status.state !== 'running')
    return { met: false, detail: status?.reason || 'it is about to start' };
  const { fps, seenFps, latencyP95Ms, decode } = status;
  const short = `${fps.toFixed(1)} of ${spec.targetFps} frames a second`;
  if (fps < nearlyAll * spec.targetFps) {
    if (grant && grant.fps < nearlyAll * spec.targetFps)
      return { met: false, detail: `${short}: it was given ${grant.fps.toFixed(1)}, its device has no time for more` };
    if (seenFps < nearlyAll * spec.targetFps && decode !== 'full')
      return { met: false, detail: `${short}: its device has room to decode it at ${decode} only` };
    if (seenFps < nearlyAll * spec.targetFps) return { met: false, detail: `${short}: the source gives no more` };
    return { met: false, detail: `${short}: its device does not keep up` };
  }
  if (spec.p95Ms !== undefined && latencyP95Ms > spec.p95Ms)
    return { met: false, detail: `95 of 100 frames take up to ${Math.ceil(latencyP95Ms)} ms, not ${spec.p95Ms} ms` };
  return { met: true, detail: `${fps.toFixed(1)} frames a second, 95 of 100 within ${Math.ceil(latencyP95Ms)} ms` };
}
