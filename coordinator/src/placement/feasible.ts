import type { RefusalReason } from '../domain/index.ts';
import { type Estimate, firmCameras } from './estimate.ts';
import { projectedLevelPct } from './power.ts';
import type { DeviceSnapshot, PlacementLimits, Stream, Work } from './snapshot.ts';
import { leastRate } from './streams/apportion.ts';

/** A device takes work in advance for this long, ms: enough to keep it busy, little enough to place anew when it dies. */
const backlogHorizonMs = 1_000;
/** A camera has no end: a battery must last for so long, ms. Looked at again long before. */
const cameraHorizonMs = 30 * 60_000;

/** When it is asked. */
export interface Moment {
  /** Monotonic, ms. */
  readonly nowMs: number;
  /** Wall clock, for what happens at a time of the day; ms since the Unix epoch. */
  readonly wallMs: number;
}

/** The level that this work never takes the device's battery below, percent. */
export function floorOf({ power }: DeviceSnapshot, work: Work, limits: PlacementLimits): number {
  const floorPct = power.policy.floorPct ?? limits.batteryFloorPct;
  return work.critical ? Math.min(floorPct, limits.criticalFloorPct) : floorPct;
}

/** Where work ends already: a level is reported in whole percents, and some seconds before it is looked at. */
function leastLevel(device: DeviceSnapshot, work: Work, limits: PlacementLimits): number {
  return floorOf(device, work, limits) + limits.batteryMarginPct;
}

/**
 * Why the device cannot take the work at all, `undefined` when it can. What it costs there is not asked here; whether it would be in time, and whether
 * the battery lasts, is asked of each candidate, when it is known what the work would take.
 */
export function refusalOf(
  device: DeviceSnapshot,
  work: Work,
  limits: PlacementLimits,
  { nowMs }: Moment,
): RefusalReason | undefined {
  if (work.device !== undefined && work.device !== device.id) return 'other-device';
  if (missingLabel(device, work) !== undefined) return 'labels';
  if (device.presence !== 'online') return 'unreachable';
  if (device.draining) return 'draining';
  if (work.declined.size > 0 && work.declined.has(device.id)) return 'declined';
  const lasting = lastingRefusalOf(device, work, limits);
  if (lasting !== undefined) return lasting;
  if (work.stream && device.heat !== undefined) return 'hot';
  if (work.stream?.left?.has(device.id)) return 'left';
  if (device.pause && device.pause.untilMs > nowMs) return 'busy';
  return isFull(device, limits) ? 'busy' : undefined;
}

/** What is against the device for work of this sort, whatever it has in hand. */
export function lastingRefusalOf(
  device: DeviceSnapshot,
  work: Work,
  limits: PlacementLimits,
): RefusalReason | undefined {
  if (work.choices.length > 0 && !device.hasEngine) return 'no-engine';
  if (work.accelerator && !device.accelerated) return 'no-accelerator';
  const { onBattery, awaitsLevel, levelPct, policy } = device.power;
  if (!onBattery) return undefined;
  if (policy.mainsOnly || awaitsLevel || (levelPct !== undefined && levelPct <= leastLevel(device, work, limits)))
    return 'battery';
  return undefined;
}

/** Why this choice cannot be run there, though another one might. */
export function unfitness(
  estimate: Estimate,
  work: Work,
  limits: PlacementLimits,
  moment: Moment,
): RefusalReason | undefined {
  if (estimate.moreBytes > estimate.device.freeBytes) return 'memory';
  return isTooSlow(estimate, work) ? 'too-slow' : unfitnessInTime(estimate, work, limits, moment);
}

/** The same, were it in time. */
export function unfitnessInTime(
  estimate: Estimate,
  work: Work,
  limits: PlacementLimits,
  { wallMs }: Moment,
): RefusalReason | undefined {
  if (work.stream && estimate.rung === undefined) return 'decode-budget';
  if (work.stream && isCrowded(estimate, work.stream)) return 'busy';
  if (!estimate.device.power.onBattery) return undefined;
  const levelPct = levelAfter(estimate, work, wallMs);
  if (levelPct === undefined || levelPct >= leastLevel(estimate.device, work, limits)) return undefined;
  return 'battery';
}

/** A guess does not refuse, only a measurement: even with nothing to wait for the device would be late. A camera had rather be late than see nothing. */
export function isTooSlow(estimate: Estimate, { timeLeftMs, stream }: Work): boolean {
  return stream === undefined && timeLeftMs !== undefined && estimate.measured && aloneMs(estimate) > timeLeftMs;
}

/** Its other cameras leave too little of the device. One that is alone there runs as fast as it can. */
function isCrowded({ device, fps }: Estimate, stream: Stream): boolean {
  return fps < stream.fps * leastRate && firmCameras(device, stream).load > 0;
}

/** The first label that the work asks for and the device does not have. */
export function missingLabel(device: DeviceSnapshot, { labels }: Work): string | undefined {
  for (const name in labels) if (device.labels[name] !== labels[name]) return name;
  return undefined;
}

/** One for each slot and one to go on with are always taken; more only when they are short. */
function isFull({ running, slots, backlog }: DeviceSnapshot, { attemptsPerDevice }: PlacementLimits): boolean {
  return running >= attemptsPerDevice || (running >= 2 * slots && backlog.meanMs / slots >= backlogHorizonMs);
}

/** With nothing to wait for. */
export function aloneMs({ transferMs, runMs }: Estimate): number {
  return transferMs + runMs;
}

/** Of the battery, when the work and all that is with the device is done; percent. */
export function levelAfter(
  { device, energyJ, totalMs }: Estimate,
  { stream }: Work,
  wallMs: number,
): number | undefined {
  const durationMs = stream ? cameraHorizonMs : totalMs;
  const ownJ = stream ? (energyJ * stream.fps * durationMs) / 1_000 : energyJ;
  const watts = device.cameraWatts - (stream?.current?.device === device.id ? stream.current.watts : 0);
  const drawnJ = device.committedJ + ownJ + (watts * durationMs) / 1_000;
  return projectedLevelPct(device.power, drawnJ, durationMs, wallMs);
}
