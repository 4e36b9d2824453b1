import type { BatteryReading } from './power-supply.ts';
import { percent, plausibleCelsius } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

export interface TermuxBattery {
  readonly battery: BatteryReading;
  readonly plugged: boolean;
}

/**
 * The battery of a phone, through the Termux:API add-on: Android forbids an app to read /sys/class/power_supply. It takes about
 * a second. The current it prints is in microamperes on some phones and milliamperes on others, so it is not used.
 */
export async function readTermuxBattery(reader: SystemReader): Promise<TermuxBattery | undefined> {
  const output = await reader.run('termux-battery-status', [], { timeoutMs: 5000 });
  if (output?.code !== 0) return undefined;
  const status = parse(output.stdout);
  if (status === undefined) return undefined;
  const number = (key: string) => (typeof status[key] === 'number' ? status[key] : undefined);
  const levelPct = percent(number('percentage'));
  const plugged = typeof status['plugged'] === 'string' && /^PLUGGED/.test(status['plugged']);
  const state = states[String(status['status'])] ?? 'unknown';
  if (levelPct === undefined && state === 'unknown') return undefined;
  return {
    plugged,
    battery: { name: 'battery', levelPct, state, temperatureC: plausibleCelsius(number('temperature')) },
  };
}

const states: Readonly<Record<string, BatteryReading['state']>> = {
  CHARGING: 'charging',
  DISCHARGING: 'discharging',
  FULL: 'full',
  NOT_CHARGING: 'idle',
};

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
