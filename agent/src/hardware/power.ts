import { isPhone } from './board.ts';
import type { Battery, Power, PowerSource } from './capability.ts';
import { combine, readPowerSupplies } from './power-supply.ts';
import type { SystemReader } from './system-reader.ts';
import { readTermuxBattery } from './termux-battery.ts';

export interface PowerReading {
  readonly source: PowerSource;
  readonly battery?: Battery | undefined;
  readonly capacityMj?: number | undefined;
  /** A phone always has a battery, even when it does not tell of it. */
  readonly hasBattery: boolean;
}

/** Reads files; a process is started only on a phone whose files say nothing. */
export async function readPower(reader: SystemReader): Promise<PowerReading> {
  const supplies = await readPowerSupplies(reader);
  const battery = combine(supplies.batteries);
  if (battery) {
    const capacities = supplies.batteries.map((each) => each.capacityMj);
    const capacityMj = capacities.reduce(
      (all, each) => (all === undefined || each === undefined ? undefined : all + each),
      0,
    );
    return { source: sourceOf(battery, supplies.mainsOnline), battery, capacityMj, hasBattery: true };
  }
  if (await isPhone(reader)) {
    const termux = await readTermuxBattery(reader);
    if (!termux) return { source: 'unknown', hasBattery: true };
    const phone = combine([termux.battery]);
    return { source: termux.plugged ? 'mains' : 'battery', battery: phone, hasBattery: true };
  }
  // A board fed by a power bank looks the same as one at a wall socket; the operator's configuration can say otherwise.
  const seen = reader.host().platform === 'linux';
  return { source: seen ? 'mains' : 'unknown', hasBattery: false };
}

export async function probePower(reader: SystemReader): Promise<Power> {
  const { source, capacityMj, hasBattery } = await readPower(reader);
  return { source, hasBattery, capacityMj };
}

/** A charger that delivers feeds the machine, unless the battery still empties: then it is too weak to count. */
function sourceOf(battery: Battery, mainsOnline: boolean | undefined): PowerSource {
  if (battery.state === 'discharging') return 'battery';
  if (mainsOnline === true || battery.state === 'charging') return 'mains';
  if (mainsOnline === false) return 'battery';
  return battery.state === 'full' || battery.state === 'idle' ? 'mains' : 'unknown';
}
