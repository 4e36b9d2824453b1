import type { ModelVariant } from '@shoal/models/manifest';
import { type Duration, exactly, noTime, slowed, sum } from './duration.ts';
import type { Choice, DeviceSnapshot, Work } from './snapshot.ts';

/** A variant that the device never measured is expected to take this long, ms: slow, so that a device which knows is preferred. */
const unmeasuredRunMs: Readonly<Record<ModelVariant['precision'], number>> = { int8: 250, float16: 400, float32: 500 };
const unmeasuredLoadMs = 1_000;
/** A device of which nothing is known draws so much more while it infers, watts. */
const unknownBusyWatts = 5;
/** A pipeline without a model. */
const plainRun = exactly(1);
/** Cameras never count for more than this part of a device: whatever is left runs on. */
const mostCameraLoad = 0.9;

/** What the work would take on one device with one choice of model and variant. */
export interface Estimate {
  readonly device: DeviceSnapshot;
  /** `undefined` for a pipeline without a model. */
  readonly choice: Choice | undefined;
  /** Until a slot is free. */
  readonly queue: Duration;
  readonly transferMs: number;
  readonly loadMs: number;
  /** Decoding and one inference. */
  readonly run: Duration;
  readonly total: Duration;
  /** What it draws above idling, joules. */
  readonly energyJ: number;
  /** Whether the time of a run was measured on this device. */
  readonly measured: boolean;
  /** Of a camera: the part of the device that it would take, and that all of its cameras would take with it. 0..; over 1, frames are left out. */
  readonly load?: { readonly own: number; readonly all: number };
}

/** For each choice that the device could run, what it would take. A guess is left out where the device has measured another choice. */
export function estimates(device: DeviceSnapshot, work: Work, nowMs: number): readonly Estimate[] {
  const { choices } = work;
  const estimate = work.stream ? streamEstimate : taskEstimate;
  if (choices.length === 0) return [estimate(device, work, undefined, plainRun, nowMs)];
  const measured: Estimate[] = [];
  for (const choice of choices) {
    const run = device.run(choice.model, choice.variant.name);
    if (run) measured.push(estimate(device, work, choice, run, nowMs));
  }
  if (measured.length > 0) return measured;
  return choices.map((choice) => estimate(device, work, choice, undefined, nowMs));
}

function taskEstimate(
  device: DeviceSnapshot,
  work: Work,
  choice: Choice | undefined,
  inference: Duration | undefined,
  nowMs: number,
): Estimate {
  const { slots, running, backlog, cameraLoad, decodeMs, bytesPerMs } = device;
  const alone = inference ?? guessOf(choice);
  const load = Math.min(mostCameraLoad, Math.max(0, cameraLoad));
  // The part that cameras take slows the rest down.
  const shared = load > 0 ? slowed(alone, 1 / (1 - load)) : alone;
  const run = decodeMs > 0 ? { ...shared, meanMs: shared.meanMs + decodeMs } : shared;
  const queue = running < slots ? exactly(0) : slowed(backlog, 1 / slots);
  const transferMs = device.rttMs / 2 + work.inputBytes / bytesPerMs;
  const loadMs = choice ? loadTimeMs(device, choice, nowMs) : 0;
  const waited = { ...queue, meanMs: queue.meanMs + transferMs + loadMs };
  return {
    device,
    choice,
    queue,
    transferMs,
    loadMs,
    run,
    total: sum(waited, run),
    energyJ: choice ? energyOf(device, choice, alone) : 0,
    measured: inference !== undefined,
  };
}

/** Frames come decoded to where they are analysed: of the device's time, each takes about this much besides, ms. */
const decodeMsPerFrame = 3;

/** The part of a device that a camera with so many frames a second takes. */
function loadOf({ slots }: DeviceSnapshot, inference: Duration, fps: number): number {
  return ((inference.meanMs + decodeMsPerFrame) * fps) / 1_000 / slots;
}

/** What a camera takes of the device that it runs on: a part of its time, and watts. */
export function cameraShare(
  device: DeviceSnapshot,
  { model, variant, fps }: { readonly model: string; readonly variant: string; readonly fps: number },
): { readonly load: number; readonly watts: number } {
  const inference = device.run(model, variant) ?? noTime;
  const energyJ = device.energyJ(model, variant) ?? (inference.meanMs / 1_000) * unknownBusyWatts;
  return { load: loadOf(device, inference, fps), watts: energyJ * fps };
}

/** A task more or less says nothing about the hours to come, and loading once is nothing to hours of running: only cameras count. */
function streamEstimate(
  device: DeviceSnapshot,
  { stream }: Work,
  choice: Choice | undefined,
  inference: Duration | undefined,
): Estimate {
  const { fps, current } = stream ?? { fps: 0 };
  const alone = inference ?? guessOf(choice);
  const own = loadOf(device, alone, fps);
  const others = device.cameraLoad - (current?.device === device.id ? current.load : 0);
  const all = Math.max(0, others) + own;
  const run = slowed(alone, 1 / (1 - Math.min(mostCameraLoad, Math.max(0, others))));
  return {
    device,
    choice,
    queue: noTime,
    transferMs: 0,
    loadMs: 0,
    run,
    total: run,
    energyJ: choice ? energyOf(device, choice, alone) : 0,
    measured: inference !== undefined,
    load: { own, all },
  };
}

/** So unsure that it may as well take twice as long, or half. */
function guessOf(choice: Choice | undefined): Duration {
  const guessMs = unmeasuredRunMs[choice?.variant.precision ?? 'float32'];
  return { meanMs: guessMs, varianceMs2: guessMs ** 2 };
}

function loadTimeMs(device: DeviceSnapshot, { model, variant }: Choice, nowMs: number): number {
  return device.loadMs(model, variant.name, nowMs) ?? unmeasuredLoadMs + variant.sizeBytes / device.bytesPerMs;
}

function energyOf(device: DeviceSnapshot, { model, variant }: Choice, alone: Duration): number {
  return device.energyJ(model, variant.name) ?? (alone.meanMs / 1_000) * unknownBusyWatts;
}
