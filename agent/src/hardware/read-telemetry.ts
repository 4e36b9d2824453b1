import type { HardwareTelemetry, Load, Temperature, Throttling } from './capability.ts';
import { readLoad } from './load.ts';
import { type PowerReading, readPower } from './power.ts';
import { attempts } from './probe-attempts.ts';
import { abortable, type SystemReader } from './system-reader.ts';
import { hottest, readTemperatures } from './temperature.ts';
import { readThrottling } from './throttling.ts';

/**
 * What the hardware says of this moment. Made to be asked every few seconds: it reads files, and starts a program only where no
 * file tells (the battery of a phone, a Raspberry Pi whose kernel has no get_throttled).
 *
 * @throws ShoalError `aborted` when the signal says so
 */
export async function readTelemetry(reader: SystemReader, signal: AbortSignal): Promise<HardwareTelemetry> {
  const source = abortable(reader, signal);
  const all = attempts(signal);
  const [power, zones, throttling, load] = await Promise.all([
    all.attempt<PowerReading>('power', () => readPower(source), { source: 'unknown', hasBattery: false }),
    all.attempt<readonly Temperature[]>('temperatures', () => readTemperatures(source), []),
    all.attempt<Throttling>('throttling', () => readThrottling(source), { reasons: [], earlier: [] }),
    all.attempt<Load>('load', () => readLoad(source), {}),
  ]);
  const phone = power.battery?.temperatureC;
  // A phone shows no sensor but its battery's.
  const temperatures = zones.length > 0 || phone === undefined ? zones : [{ name: 'battery', celsius: phone }];
  const unknown = [
    ...(temperatures.length === 0 ? ['temperature: no sensor'] : []),
    ...(throttling.active === undefined ? ['throttling: nothing tells'] : []),
    ...(power.hasBattery && power.battery?.levelPct === undefined ? ['battery: no level'] : []),
    ...all.failed.map(({ subject, reason }) => `${subject}: ${reason}`),
  ];
  const temperatureC = hottest(temperatures);
  return { powerSource: power.source, battery: power.battery, temperatureC, temperatures, throttling, load, unknown };
}
