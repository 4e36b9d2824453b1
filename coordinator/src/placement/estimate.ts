import { type Choice, variantKey } from './choice.ts';
import { noTime } from './duration.ts';
import { energyOfRun, type Options } from './options.ts';
import type { DeviceSnapshot, Stream, Work } from './snapshot.ts';

/** A pipeline without a model takes about this, ms. */
const plainRunMs = 1;
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

/** What a task takes of the device of the draft with one of its options; `undefined`: without a model. */
export function estimateTask(
  draft: Draft,
  option: number | undefined,
  options: Options,
  wait: Wait,
  { inputBytes }: Work,
  nowMs: number,
): void {
  const { device } = draft;
  const { cameraLoad } = device;
  // The part that cameras take slows the rest down.
  const factor = cameraLoad > 0 ? 1 / (1 - Math.min(mostCameraLoad, cameraLoad)) : 1;
  takeOption(draft, option, options, factor);
  draft.queueMs = wait.meanMs;
  draft.transferMs = device.rttMs / 2 + inputBytes / device.bytesPerMs;
  draft.loadMs = option === undefined ? 0 : options.loadMs(option, nowMs);
  draft.runMs += device.decodeMs;
  draft.totalMs = draft.queueMs + draft.transferMs + draft.loadMs + draft.runMs;
  draft.varianceMs2 += wait.varianceMs2;
  draft.load = 0;
}

/** A task more or less says nothing about the hours to come, and loading once is nothing to hours of running: only cameras count. */
export function estimateStream(
  draft: Draft,
  option: number | undefined,
  options: Options,
  { fps, current }: Stream,
): void {
  const { device } = draft;
  const others = Math.max(0, device.cameraLoad - (current?.device === device.id ? current.load : 0));
  takeOption(draft, option, options, 1 / (1 - Math.min(mostCameraLoad, others)));
  draft.queueMs = 0;
  draft.transferMs = 0;
  draft.loadMs = 0;
  draft.totalMs = draft.runMs;
  draft.load = others + loadOf(device, option === undefined ? plainRunMs : options.runMs(option), fps);
}

/** One inference, on a device that is so many times as slow as when it does nothing else. */
function takeOption(draft: Draft, option: number | undefined, options: Options, factor: number): void {
  if (option === undefined) {
    draft.choice = undefined;
    draft.runMs = plainRunMs * factor;
    draft.varianceMs2 = 0;
    draft.energyJ = 0;
    draft.measured = true;
    return;
  }
  draft.choice = options.choices[option];
  draft.runMs = options.runMs(option) * factor;
  draft.varianceMs2 = options.varianceMs2(option) * factor * factor;
  draft.energyJ = options.energyJ(option);
  draft.measured = options.isMeasured(option);
}

/** What a camera takes of the device that it runs on: a part of its time, and watts. */
export function cameraShare(
  device: DeviceSnapshot,
  { model, variant, fps }: { readonly model: string; readonly variant: string; readonly fps: number },
): { readonly load: number; readonly watts: number } {
  const figures = device.figures(variantKey(model, variant));
  const runMs = figures.run?.meanMs ?? 0;
  return { load: loadOf(device, runMs, fps), watts: (figures.energyJ ?? energyOfRun(runMs)) * fps };
}

/** The part of a device that a camera with so many frames a second takes. */
function loadOf({ slots }: DeviceSnapshot, inferenceMs: number, fps: number): number {
  return ((inferenceMs + decodeMsPerFrame) * fps) / 1_000 / slots;
}
