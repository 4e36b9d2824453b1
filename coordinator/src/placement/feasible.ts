import type { PlacementRefusal, RefusalReason } from '../domain/index.ts';
import type { DeviceSnapshot, PlacementLimits, Work } from './snapshot.ts';

/** A device takes work in advance for this long, ms: enough to keep it busy, little enough to place anew when it dies. */
const backlogHorizonMs = 1_000;

/** The level that this work never takes the device's battery below, percent. */
export function floorOf({ power }: DeviceSnapshot, work: Work, limits: PlacementLimits): number {
  const floorPct = power.policy.floorPct ?? limits.batteryFloorPct;
  return work.critical ? Math.min(floorPct, limits.criticalFloorPct) : floorPct;
}

/**
 * Why the device cannot take the work at all, `undefined` when it can. What it costs there is not asked here; whether its battery lasts is asked of
 * each candidate, when it is known what the work would draw.
 */
export function refusalOf(
  device: DeviceSnapshot,
  work: Work,
  limits: PlacementLimits,
  nowMs: number,
): PlacementRefusal | undefined {
  const no = (reason: RefusalReason, detail: string): PlacementRefusal => ({ device: device.id, reason, detail });
  if (work.device !== undefined && work.device !== device.id)
    return no('other-device', `only ${work.device} was asked for`);
  for (const name in work.labels) {
    if (device.labels[name] !== work.labels[name]) {
      return no('labels', `label ${name} is ${device.labels[name] ?? 'not set'}, ${work.labels[name]} was asked for`);
    }
  }
  if (device.presence !== 'online') {
    return no(
      'unreachable',
      device.presence === 'offline' ? 'not heard of for too long' : 'its connection broke, or it was not heard of yet',
    );
  }
  if (device.draining) return no('draining', 'takes no new work: it is being drained');
  if (work.declined.size > 0) {
    const declined = work.declined.get(device.id);
    if (declined !== undefined) return no('declined', `cannot do this work, as it said itself: ${declined}`);
  }
  if (work.choices.length > 0 && !device.hasEngine) return no('no-engine', 'no inference runtime works on it');
  if (work.accelerator && !device.accelerated) return no('no-accelerator', 'has no GPU, NPU or TPU that works');
  const battery = batteryRefusal(device, work, limits);
  if (battery !== undefined) return no('battery', battery);
  if (device.pause && device.pause.untilMs > nowMs) {
    const waitMs = Math.ceil(device.pause.untilMs - nowMs);
    return no('busy', `said ${device.pause.reason} a moment ago; asked again in ${waitMs} ms`);
  }
  return busy(device, limits, no);
}

function batteryRefusal(device: DeviceSnapshot, work: Work, limits: PlacementLimits): string | undefined {
  const { onBattery, levelPct, policy } = device.power;
  if (!onBattery) return undefined;
  if (policy.mainsOnly) return 'works on the mains only, and is on its battery';
  const floorPct = floorOf(device, work, limits);
  if (levelPct !== undefined && levelPct <= floorPct)
    return `battery at ${Math.round(levelPct)} %, floor ${floorPct} %`;
  return undefined;
}

function busy(
  { running, slots, backlog }: DeviceSnapshot,
  limits: PlacementLimits,
  no: (reason: RefusalReason, detail: string) => PlacementRefusal,
): PlacementRefusal | undefined {
  if (running >= limits.attemptsPerDevice) {
    return no('busy', `holds ${running} attempts, the most is ${limits.attemptsPerDevice}`);
  }
  // One for each slot and one to go on with are always taken; more only when they are short.
  if (running >= 2 * slots && backlog.meanMs / slots >= backlogHorizonMs) {
    return no('busy', `holds ${running} attempts of ${Math.round(backlog.meanMs)} ms in all on ${slots} slots`);
  }
  return undefined;
}
