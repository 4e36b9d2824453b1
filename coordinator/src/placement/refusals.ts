import type { PlacementRefusal, RefusalReason } from '../domain/index.ts';
import { type Estimate, firmCameras } from './estimate.ts';
import { aloneMs, floorOf, levelAfter, type Moment, missingLabel } from './feasible.ts';
import type { DeviceSnapshot, PlacementLimits, Stream, Work } from './snapshot.ts';
import { leastRate } from './streams/apportion.ts';
import { decodeLadder, unknownFootage } from './streams/decode-ladder.ts';

/** A refusal for a person, with its figures. */
export function refusal(
  reason: RefusalReason,
  device: DeviceSnapshot,
  work: Work,
  limits: PlacementLimits,
  moment: Moment,
): PlacementRefusal {
  return { device: device.id, reason, detail: detailOf(reason, device, work, limits, moment) };
}

/** The same for a choice that is unfit. */
export function unfitRefusal(
  reason: RefusalReason,
  estimate: Estimate,
  work: Work,
  limits: PlacementLimits,
  { wallMs }: Moment,
): PlacementRefusal {
  const { device } = estimate;
  if (reason === 'too-slow') {
    const leftMs = Math.max(0, Math.floor(work.timeLeftMs ?? 0));
    return { device: device.id, reason, detail: `needs ${Math.ceil(aloneMs(estimate))} ms, ${leftMs} ms are left` };
  }
  if (reason === 'memory') return { device: device.id, reason, detail: memoryDetail(estimate) };
  if (work.stream && reason !== 'battery')
    return { device: device.id, reason, detail: roomDetail(estimate, work.stream) };
  const levelPct = levelAfter(estimate, work, wallMs)?.toFixed(1);
  const floorPct = floorOf(device, work, limits);
  return {
    device: device.id,
    reason,
    detail: `battery would be at ${levelPct} % when it is done, floor ${floorPct} %`,
  };
}

function detailOf(
  reason: RefusalReason,
  device: DeviceSnapshot,
  work: Work,
  limits: PlacementLimits,
  { nowMs }: Moment,
): string {
  const label = missingLabel(device, work) ?? '';
  switch (reason) {
    case 'other-device':
      return `only ${work.device} was asked for`;
    case 'labels':
      return `label ${label} is ${device.labels[label] ?? 'not set'}, ${work.labels[label]} was asked for`;
    case 'unreachable':
      return device.presence === 'offline'
        ? 'not heard of for too long'
        : 'its connection broke, or it was not heard of yet';
    case 'draining':
      return 'takes no new work: it is being drained';
    case 'declined':
      return `cannot do this work, as it said itself: ${work.declined.get(device.id)}`;
    case 'left':
      return `had to give it up a moment ago: ${work.stream?.left?.get(device.id)}`;
    case 'hot':
      return `too hot to watch cameras: ${device.heat}`;
    case 'no-engine':
      return 'no inference runtime works on it';
    case 'no-accelerator':
      return 'has no GPU, NPU or TPU that works';
    case 'battery':
      return batteryDetail(device, floorOf(device, work, limits));
    default:
      return busyDetail(device, limits, nowMs);
  }
}

function memoryDetail({ device, choice, moreBytes }: Estimate): string {
  const known = choice && device.figures(choice.key).memoryBytes !== undefined ? '' : ' by a guess from its size';
  return `${choice?.key} needs ${megabytes(moreBytes)} MB of memory${known}, ${megabytes(device.freeBytes)} MB can be had`;
}

/** Rounded up, so that what does not fit never looks as if it did. */
function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}

/** Of what is taken already by cameras that do not give way. */
function roomDetail({ device, fps }: Estimate, stream: Stream): string {
  const { load, decode } = firmCameras(device, stream);
  const { capacity, factor } = device.decode;
  if (fps < stream.fps * leastRate)
    return `its cameras take ${Math.round(load * 100)} % of it: ${fps.toFixed(1)} of ${stream.fps} frames a second would be analysed`;
  const cheapest = decodeLadder(stream.footage ?? unknownFootage, stream.fps, factor).at(-1);
  const needs = `this one needs ${cheapest?.cores.toFixed(2)} for its ${cheapest?.level}`;
  return `its cameras keep ${decode.toFixed(2)} of the ${capacity.toFixed(2)} cores busy that it has for decoding, ${needs}`;
}

function batteryDetail({ power }: DeviceSnapshot, floorPct: number): string {
  if (power.policy.mainsOnly) return 'works on the mains only, and is on its battery';
  if (power.awaitsLevel) return 'has not said yet how full its battery is, since it was away';
  return `battery at ${Math.round(power.levelPct ?? 0)} %, floor ${floorPct} %`;
}

function busyDetail(
  { pause, running, slots, backlog }: DeviceSnapshot,
  limits: PlacementLimits,
  nowMs: number,
): string {
  if (pause && pause.untilMs > nowMs)
    return `said ${pause.reason} a moment ago; asked again in ${Math.ceil(pause.untilMs - nowMs)} ms`;
  if (running >= limits.attemptsPerDevice) return `holds ${running} attempts, the most is ${limits.attemptsPerDevice}`;
  return `holds ${running} attempts of ${Math.round(backlog.meanMs)} ms in all on ${slots} slots`;
}
