import type { ModelVariant } from '@shoal/models/manifest';
import type { PlacementCandidate } from '../domain/index.ts';
import type { DeviceSnapshot, Work } from './snapshot.ts';

/** A variant that the device never measured is expected to take this long, ms: slow, so that a device which knows is preferred. */
const unmeasuredRunMs: Readonly<Record<ModelVariant['precision'], number>> = { int8: 250, float16: 400, float32: 500 };
const unmeasuredLoadMs = 1_000;
/** A pipeline without a model. */
const plainRunMs = 1;
/** Cameras never count for more than this part of a device: whatever is left runs on. */
const mostCameraLoad = 0.9;

export interface Estimate extends PlacementCandidate {
  /** Whether the time of a run was measured on this device. */
  readonly measured: boolean;
}

/** When the device would be done, by its own measurements: for each variant it could run, the quickest first choice is returned. */
export function estimate(device: DeviceSnapshot, work: Work, nowMs: number): Estimate {
  const { model } = work;
  if (model === undefined) return sum(device, work, undefined, plainRunMs, 0, true);
  let best: Estimate | undefined;
  for (const variant of work.variants) {
    const runMs = device.runMs(model, variant.name);
    const loadMs = device.loadMs(model, variant.name, nowMs);
    const measured = runMs !== undefined;
    // A guess never beats a measurement of the same device.
    if (best?.measured && !measured) continue;
    const candidate = sum(
      device,
      work,
      variant.name,
      (runMs ?? unmeasuredRunMs[variant.precision]) + device.decodeMs,
      loadMs ?? unmeasuredLoadMs + variant.sizeBytes / device.bytesPerMs,
      measured,
    );
    if (!best || (measured && !best.measured) || candidate.totalMs < best.totalMs) best = candidate;
  }
  return best ?? sum(device, work, undefined, plainRunMs, 0, false);
}

function sum(
  device: DeviceSnapshot,
  work: Work,
  variant: string | undefined,
  runMs: number,
  loadMs: number,
  measured: boolean,
): Estimate {
  const { slots, running, backlogMs } = device;
  const load = Math.min(mostCameraLoad, Math.max(0, device.cameraLoad));
  // The part that cameras take slows the rest down: a run waits for load / (1 - load) of its own length.
  const queueMs = (running < slots ? 0 : backlogMs / slots) + (runMs * load) / (1 - load);
  const transferMs = work.inputBytes / device.bytesPerMs;
  const totalMs = queueMs + transferMs + loadMs + runMs;
  return {
    device: device.id,
    ...(variant !== undefined && { variant }),
    queueMs,
    transferMs,
    loadMs,
    inferenceMs: runMs,
    totalMs,
    measured,
  };
}
