import type { PlacementRefusal, RefusalReason } from '../domain/index.ts';
import type { DeviceSnapshot, PlacementLimits, Work } from './snapshot.ts';

/** A device takes work in advance for this long, ms: enough to keep it busy, little enough to place anew when it dies. */
const backlogHorizonMs = 1_000;

/** Why the device cannot take the work at all, `undefined` when it can. What it costs there is not asked here. */
export function refusalOf(
  device: DeviceSnapshot,
  work: Work,
  limits: PlacementLimits,
  nowMs: number,
): PlacementRefusal | undefined {
  const no = (reason: RefusalReason, detail: string): PlacementRefusal => ({ device: device.id, reason, detail });
  if (work.device !== undefined && work.device !== device.id)
    return no('other-device', `only ${work.device} was asked for`);
  for (const [name, value] of Object.entries(work.labels)) {
    if (device.labels[name] !== value) {
      return no('labels', `label ${name} is ${device.labels[name] ?? 'not set'}, ${value} was asked for`);
    }
  }
  if (device.presence !== 'online') {
    return no(
      'unreachable',
      device.presence === 'offline' ? 'not heard of for too long' : 'its connection broke, or it was not heard of yet',
    );
  }
  if (device.draining) return no('draining', 'takes no new work: it is being drained');
  const declined = work.declined.get(device.id);
  if (declined !== undefined) return no('declined', `cannot do this work, as it said itself: ${declined}`);
  if (work.model !== undefined && !device.hasEngine) return no('no-engine', 'no inference runtime works on it');
  if (device.onBattery && device.batteryPct !== undefined && device.batteryPct <= limits.batteryFloorPct) {
    return no('battery', `battery at ${Math.round(device.batteryPct)} %, floor ${limits.batteryFloorPct} %`);
  }
  if (device.pause && device.pause.untilMs > nowMs) {
    const waitMs = Math.ceil(device.pause.untilMs - nowMs);
    return no('busy', `said ${device.pause.reason} a moment ago; asked again in ${waitMs} ms`);
  }
  return busy(device, limits, no);
}

function busy(
  device: DeviceSnapshot,
  limits: PlacementLimits,
  no: (reason: RefusalReason, detail: string) => PlacementRefusal,
): PlacementRefusal | undefined {
  const { running, slots, backlogMs } = device;
  if (running >= limits.attemptsPerDevice) {
    return no('busy', `holds ${running} attempts, the most is ${limits.attemptsPerDevice}`);
  }
  // One for each slot and one to go on with are always taken; more only when they are short.
  if (running >= 2 * slots && backlogMs / slots >= backlogHorizonMs) {
    return no('busy', `holds ${running} attempts of ${Math.round(backlogMs)} ms in all on ${slots} slots`);
  }
  return undefined;
}
