import type { Battery, BatteryState } from './capability.ts';
import { amount, decimal, fields, percent, plausibleCelsius } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

/** What /sys/class/power_supply says (Linux Documentation/ABI/testing/sysfs-class-power): micro-units throughout. */
export interface PowerSupplies {
  readonly batteries: readonly BatteryReading[];
  /** Whether a charger delivers; `undefined` when no charger is listed. */
  readonly mainsOnline?: boolean | undefined;
}

export interface BatteryReading {
  readonly name: string;
  readonly levelPct?: number | undefined;
  readonly state: BatteryState;
  readonly remainingMj?: number | undefined;
  readonly capacityMj?: number | undefined;
  /** Into or out of the battery, without a sign. */
  readonly flowMw?: number | undefined;
  readonly temperatureC?: number | undefined;
}

const folder = '/sys/class/power_supply';

/** More supplies than any machine has are not read. */
const maxSupplies = 32;

export async function readPowerSupplies(reader: SystemReader): Promise<PowerSupplies> {
  const names = (await reader.list(folder)).slice(0, maxSupplies);
  const supplies = await Promise.all(names.map((name) => readSupply(reader, name)));
  const batteries = supplies.flatMap((supply) => (supply?.battery ? [supply.battery] : []));
  const chargers = supplies.flatMap((supply) => (supply?.online !== undefined ? [supply.online] : []));
  return { batteries, mainsOnline: chargers.length > 0 ? chargers.some((online) => online) : undefined };
}

async function readSupply(
  reader: SystemReader,
  name: string,
): Promise<{ battery?: BatteryReading; online?: boolean } | undefined> {
  // One read of uevent holds every property; `type` joined it only in Linux 5.3.
  const properties = fields(await reader.readText(`${folder}/${name}/uevent`), '=');
  const property = (key: string) => properties.get(`POWER_SUPPLY_${key}`);
  const type = property('TYPE') ?? (await reader.readText(`${folder}/${name}/type`))?.trim();
  // The battery of a mouse or a headset is not ours.
  if (property('SCOPE') === 'Device' || property('PRESENT') === '0') return undefined;
  if (type === 'Battery' || type === 'UPS') return { battery: batteryOf(name, property) };
  if (type === undefined || !/^(Mains|USB|Wireless)/.test(type)) return undefined;
  const online = decimal(property('ONLINE'));
  return online === undefined ? undefined : { online: online > 0 };
}

function batteryOf(name: string, property: (key: string) => string | undefined): BatteryReading {
  const micro = (key: string) => amount(property(key));
  const volts = (micro('VOLTAGE_MIN_DESIGN') || micro('VOLTAGE_NOW') || 0) / 1e6;
  const energy = (suffix: string) =>
    wattHoursToMj(micro(`ENERGY_${suffix}`)) ?? wattHoursToMj(times(micro(`CHARGE_${suffix}`), volts));
  const remaining = energy('NOW');
  const capacity = energy('FULL') ?? energy('FULL_DESIGN');
  const share = remaining !== undefined && capacity ? percent((100 * remaining) / capacity) : undefined;
  return {
    name,
    levelPct: percent(decimal(property('CAPACITY'))) ?? share,
    state: stateOf(property('STATUS')),
    // A gauge that holds more than 105 % of its own full is not believed.
    remainingMj: capacity && share === undefined ? undefined : remaining,
    capacityMj: capacity || undefined,
    flowMw: flow(property),
    temperatureC: plausibleCelsius(tenths(decimal(property('TEMP')))),
  };
}

/** Some drivers sign the current by direction and some do not; the state says the direction. */
function flow(property: (key: string) => string | undefined): number | undefined {
  const power = decimal(property('POWER_NOW'));
  const current = decimal(property('CURRENT_NOW'));
  const volts = (amount(property('VOLTAGE_NOW')) ?? 0) / 1e6;
  const microwatts = power !== undefined ? Math.abs(power) : current !== undefined ? Math.abs(current) * volts : 0;
  return microwatts > 0 && microwatts < 1e9 ? Math.round(microwatts / 1000) : undefined;
}

const states: Readonly<Record<string, BatteryState>> = {
  Charging: 'charging',
  Discharging: 'discharging',
  Full: 'full',
  'Not charging': 'idle',
};

function stateOf(status: string | undefined): BatteryState {
  return states[status ?? ''] ?? 'unknown';
}

/** All batteries of a machine as one: energies add, levels are weighted by size when every size is known. */
export function combine(batteries: readonly BatteryReading[]): Battery | undefined {
  if (batteries.length === 0) return undefined;
  const state = strongest(batteries.map((battery) => battery.state));
  const draws = batteries.filter((battery) => battery.state === 'discharging').map((battery) => battery.flowMw);
  return {
    levelPct: level(batteries),
    state,
    charging: state === 'charging',
    remainingMj: sum(batteries.map((battery) => battery.remainingMj)),
    drawMw: state === 'discharging' ? sum(draws.filter((draw) => draw !== undefined)) : undefined,
    temperatureC: batteries.map((battery) => battery.temperatureC).find((celsius) => celsius !== undefined),
  };
}

function level(batteries: readonly BatteryReading[]): number | undefined {
  const known = batteries.filter((battery) => battery.levelPct !== undefined);
  const weighted = known.every((battery) => battery.capacityMj !== undefined);
  const weight = (battery: BatteryReading) => (weighted ? (battery.capacityMj ?? 0) : 1);
  const total = known.reduce((all, battery) => all + weight(battery), 0);
  if (total === 0) return undefined;
  const filled = known.reduce((all, battery) => all + weight(battery) * (battery.levelPct ?? 0), 0);
  return Math.round((10 * filled) / total) / 10;
}

/** One battery that charges or discharges says more than another that rests. */
function strongest(all: readonly BatteryState[]): BatteryState {
  const order: readonly BatteryState[] = ['charging', 'discharging', 'idle', 'full', 'unknown'];
  return order.find((state) => all.includes(state)) ?? 'unknown';
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  if (values.length === 0) return undefined;
  let total = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    total += value;
  }
  return total;
}

/** 1 uWh is 3.6 mJ. */
const wattHoursToMj = (microWattHours: number | undefined) =>
  microWattHours === undefined ? undefined : Math.round(microWattHours * 3.6);
const times = (charge: number | undefined, volts: number) =>
  charge !== undefined && volts > 0 ? charge * volts : undefined;
const tenths = (value: number | undefined) => (value === undefined ? undefined : value / 10);
