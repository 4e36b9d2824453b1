import type { ModelVariant } from '@shoal/models/manifest';
import { type Duration, exactly, noTime } from './duration.ts';
import { type Choice, type DeviceSnapshot, type Figures, type Stream, variantKey, type Work } from './snapshot.ts';

/** A variant that the device never measured is expected to take this long, ms: slow, so that a device which knows is preferred. */
const unmeasuredRunMs: Readonly<Record<ModelVariant['precision'], number>> = { int8: 250, float16: 400, float32: 500 };
const unmeasuredLoadMs = 1_000;
/** A device of which nothing is known draws so much more while it infers, watts. */
const unknownBusyWatts = 5;
/** A pipeline without a model. */
const plainRun = exactly(1);
/** Cameras never count for more than this part of a device: whatever is left runs on. */
const mostCameraLoad = 0.9;
/** Frames come decoded to where they are analysed: of the device's time, each takes about this much besides, ms. */
const decodeMsPerFrame = 3;

/** What the work would take on one device with one choice of model and variant. Times are means. */
export interface Estimate {
  readonly device: DeviceSnapshot;
  /** `undefined` for a pipeline without a model. */
  readonly choice: Choice | undefined;
  /** Until a slot is free. */
  readonly queueMs: number;
  readonly transferMs: number;
  readonly loadMs: number;
  /** Decoding and one inference. */
  readonly runMs: number;
  readonly totalMs: number;
  /** Of the total. */
  readonly varianceMs2: number;
  /** What it draws above idling, joules. */
  readonly energyJ: number;
  /** Whether the time of a run was measured on this device. */
  readonly measured: boolean;
  /** Of a camera: the part of the device that all of its cameras would take with this one. Over 1, frames are left out. */
  readonly load: number;
}

/** An estimate that is written into, for there are many and few are kept. */
export type Draft = { -readonly [Field in keyof Estimate]: Estimate[Field] };

/** How long work waits on the device for a slot. */
export interface Wait {
  readonly meanMs: number;
  readonly varianceMs2: number;
}

export function waitOn({ running, slots, backlog }: DeviceSnapshot): Wait {
  if (running < slots) return noTime;
  return slots === 1 ? backlog : { meanMs: backlog.meanMs / slots, varianceMs2: backlog.varianceMs2 / slots ** 2 };
}

/** What a task takes of the device of the draft with the choice of the draft. */
export function estimateTask(
  draft: Draft,
  figures: Figures | undefined,
  wait: Wait,
  { inputBytes }: Work,
  nowMs: number,
): void {
  const { device, choice } = draft;
  const { bytesPerMs, cameraLoad } = device;
  const alone = aloneOf(choice, figures);
  // The part that cameras take slows the rest down.
  const factor = cameraLoad > 0 ? 1 / (1 - Math.min(mostCameraLoad, cameraLoad)) : 1;
  draft.queueMs = wait.meanMs;
  draft.transferMs = device.rttMs / 2 + inputBytes / bytesPerMs;
  draft.loadMs = choice && figures ? loadTimeMs(choice, figures, bytesPerMs, nowMs) : 0;
  draft.runMs = alone.meanMs * factor + device.decodeMs;
  draft.totalMs = draft.queueMs + draft.transferMs + draft.loadMs + draft.runMs;
  draft.varianceMs2 = wait.varianceMs2 + alone.varianceMs2 * factor * factor;
  draft.energyJ = choice ? energyOf(figures, alone) : 0;
  draft.measured = choice === undefined || figures?.run !== undefined;
  draft.load = 0;
}

/** A task more or less says nothing about the hours to come, and loading once is nothing to hours of running: only cameras count. */
export function estimateStream(draft: Draft, figures: Figures | undefined, { fps, current }: Stream): void {
  const { device, choice } = draft;
  const alone = aloneOf(choice, figures);
  const others = Math.max(0, device.cameraLoad - (current?.device === device.id ? current.load : 0));
  const factor = 1 / (1 - Math.min(mostCameraLoad, others));
  draft.queueMs = 0;
  draft.transferMs = 0;
  draft.loadMs = 0;
  draft.runMs = alone.meanMs * factor;
  draft.totalMs = draft.runMs;
  draft.varianceMs2 = alone.varianceMs2 * factor * factor;
  draft.energyJ = choice ? energyOf(figures, alone) : 0;
  draft.measured = choice === undefined || figures?.run !== undefined;
  draft.load = others + loadOf(device, alone.meanMs, fps);
}

/** What a camera takes of the device that it runs on: a part of its time, and watts. */
export function cameraShare(
  device: DeviceSnapshot,
  { model, variant, fps }: { readonly model: string; readonly variant: string; readonly fps: number },
): { readonly load: number; readonly watts: number } {
  const figures = device.figures(variantKey(model, variant));
  const alone = figures.run ?? noTime;
  return { load: loadOf(device, alone.meanMs, fps), watts: energyOf(figures, alone) * fps };
}

/** The part of a device that a camera with so many frames a second takes. */
function loadOf({ slots }: DeviceSnapshot, inferenceMs: number, fps: number): number {
  return ((inferenceMs + decodeMsPerFrame) * fps) / 1_000 / slots;
}

/** One inference on a device that does nothing else. */
function aloneOf(choice: Choice | undefined, figures: Figures | undefined): Duration {
  return choice ? (figures?.run ?? guesses[choice.variant.precision]) : plainRun;
}

/** So unsure that it may as well take twice as long, or half. */
const guesses: Readonly<Record<ModelVariant['precision'], Duration>> = {
  int8: guess(unmeasuredRunMs.int8),
  float16: guess(unmeasuredRunMs.float16),
  float32: guess(unmeasuredRunMs.float32),
};

function guess(meanMs: number): Duration {
  return { meanMs, varianceMs2: meanMs ** 2 };
}

function loadTimeMs({ variant }: Choice, figures: Figures, bytesPerMs: number, nowMs: number): number {
  if (nowMs < figures.loadedUntilMs) return 0;
  return figures.loadMs ?? unmeasuredLoadMs + variant.sizeBytes / bytesPerMs;
}

function energyOf(figures: Figures | undefined, alone: Duration): number {
  return figures?.energyJ ?? (alone.meanMs / 1_000) * unknownBusyWatts;
}
