import { type Choice, variantKey } from './choice.ts';
import { noTime } from './duration.ts';
import { energyOfRun, type Options } from './options.ts';
import type { CameraShare, DeviceSnapshot, Stream, Work } from './snapshot.ts';
import { decodeLadder, type Rung, rungFor, unknownFootage } from './streams/decode-ladder.ts';

/** A pipeline without a model takes about this, ms. */
const plainRunMs = 1;
/** Cameras never count for more than this part of a device: whatever is left runs on. */
const mostCameraLoad = 0.9;
/** A frame of a camera takes about this much of the device's time besides: it is handed over, and what was seen on it signed and sent, ms. Decoding it is counted apart. */
const besidesMsPerFrame = 3;
/** A device is taken to be full at this part of its time. */
export const fullLoad = 0.9;

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
  /** That was only said: no run has shown it yet. */
  readonly unproven: boolean;
  /** Memory that has to be found for its model; 0 when that is loaded. */
  readonly moreBytes: number;
  /** Of a camera: the part of the device that all of its cameras would take with this one. Over 1, frames are left out. */
  readonly load: number;
  /** How the camera would be decoded there; `undefined`: no room for it, or a task. */
  readonly rung: Rung | undefined;
  /** Frames a second that there would be time to analyse; of a task, 1. */
  readonly fps: number;
}

/** An estimate that is written into, for there are many and few are kept; always for the same work, so that what does not apply to that is left as it is. */
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
  draft.loadMs = option === undefined ? 0 : options.loadMs(option, nowMs, wait.meanMs);
  draft.runMs += device.decodeMs;
  draft.totalMs = draft.queueMs + draft.transferMs + draft.loadMs + draft.runMs;
  draft.varianceMs2 += wait.varianceMs2;
}

/** A task more or less says nothing about the hours to come, and loading once is nothing to hours of running: only cameras count. */
export function estimateStream(draft: Draft, option: number | undefined, options: Options, stream: Stream): void {
  const { device } = draft;
  const { fps } = stream;
  const others = otherCameras(device, stream);
  takeOption(draft, option, options, 1 / (1 - Math.min(mostCameraLoad, others.load)));
  draft.totalMs = draft.runMs;
  const own = loadOf(device, option === undefined ? plainRunMs : options.runMs(option), fps);
  draft.load = others.load + own;
  const firm = firmCameras(device, stream);
  draft.rung = rungOn(device, stream, firm);
  const room = Math.max(0, fullLoad - firm.load);
  // A guess takes nothing from anybody.
  draft.fps = draft.measured && own > room ? (fps * room) / own : fps;
}

/** What the cameras of the device take without this one. */
function otherCameras(
  { id, cameraLoad, decode }: DeviceSnapshot,
  { current }: Stream,
): Pick<CameraShare, 'load' | 'decode'> {
  const own = current?.device === id ? current : undefined;
  return { load: Math.max(0, cameraLoad - (own?.load ?? 0)), decode: Math.max(0, decode.taken - (own?.decode ?? 0)) };
}

/** And of that, what they would not give up for it. */
export function firmCameras(device: DeviceSnapshot, stream: Stream): Pick<CameraShare, 'load' | 'decode'> {
  const others = otherCameras(device, stream);
  const yielded = stream.yields?.get(device.id);
  if (!yielded) return others;
  return { load: Math.max(0, others.load - yielded.load), decode: Math.max(0, others.decode - yielded.decode) };
}

/** How each camera can be decoded on a core as they are assumed, worked out once while a fleet is looked through. */
const ladders = new WeakMap<Stream, readonly Rung[]>();

function rungOn({ decode }: DeviceSnapshot, stream: Stream, firm: Pick<CameraShare, 'decode'>): Rung | undefined {
  let ladder = ladders.get(stream);
  if (!ladder) {
    ladder = decodeLadder(stream.footage ?? unknownFootage, stream.fps, 1);
    ladders.set(stream, ladder);
  }
  const { capacity, factor } = decode;
  return rungFor(ladder, { capacity: capacity / factor, taken: firm.decode / factor });
}

/** One inference, on a device that is so many times as slow as when it does nothing else. */
function takeOption(draft: Draft, option: number | undefined, options: Options, factor: number): void {
  if (option === undefined) {
    draft.choice = undefined;
    draft.runMs = plainRunMs * factor;
    draft.varianceMs2 = 0;
    draft.energyJ = 0;
    draft.measured = true;
    draft.unproven = false;
    return;
  }
  draft.choice = options.choices[option];
  draft.runMs = options.runMs(option) * factor;
  draft.varianceMs2 = options.varianceMs2(option) * factor * factor;
  draft.energyJ = options.energyJ(option);
  draft.measured = options.isMeasured(option);
  draft.unproven = options.isUnproven(option);
}

/** What a camera takes of the device that it runs on: a part of its time, and watts. */
export function cameraShare(
  device: Pick<DeviceSnapshot, 'slots' | 'figures'>,
  { model, variant, fps }: { readonly model: string; readonly variant: string; readonly fps: number },
): Pick<CameraShare, 'load' | 'watts'> {
  const figures = device.figures(variantKey(model, variant));
  const runMs = figures.run?.meanMs ?? 0;
  return { load: loadOf(device, runMs, fps), watts: (figures.energyJ ?? energyOfRun(runMs)) * fps };
}

/** The part of a device that a camera with so many frames a second takes. */
function loadOf({ slots }: Pick<DeviceSnapshot, 'slots'>, inferenceMs: number, fps: number): number {
  return ((inferenceMs + besidesMsPerFrame) * fps) / 1_000 / slots;
}
