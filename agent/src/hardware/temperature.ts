import type { Temperature, TemperatureSensor } from './capability.ts';
import { decimal, line, matching, plausibleCelsius } from './readings.ts';
import type { SystemReader } from './system-reader.ts';

const zonesFolder = '/sys/class/thermal';
const hwmonFolder = '/sys/class/hwmon';

/** A server has dozens; more than this are not read. */
const maxSensors = 64;

/** Every temperature that can be read now. Thermal zones first; hwmon adds what has no zone (coretemp, k10temp, nvme). */
export async function readTemperatures(reader: SystemReader): Promise<readonly Temperature[]> {
  const [zones, chips] = await Promise.all([readZones(reader), readHwmon(reader)]);
  // The same sensor shows up in both: `cpu-thermal` is `cpu_thermal` in hwmon.
  const known = new Set(zones.map((zone) => plain(zone.name)));
  return [...zones, ...chips.filter((chip) => !known.has(plain(chip.name.split(' ')[0] ?? '')))];
}

/** The hottest sensor on a processor, because that is what slows work down; any sensor when none says that it is one. */
export function hottest(temperatures: readonly Temperature[]): number | undefined {
  const processors = temperatures.filter(({ name }) => onProcessor.test(name));
  const candidates = processors.length > 0 ? processors : temperatures;
  return candidates.length > 0 ? Math.max(...candidates.map(({ celsius }) => celsius)) : undefined;
}

/** Not the Nano's AO-therm, which reads some ten degrees more than the cores whose clocks are at stake. */
const onProcessor = /cpu|gpu|soc|pkg|package|core|tctl|tdie|^tj|k10temp|zenpower/i;

/** The sensors of thermal zones, with the temperatures at which the kernel acts. */
export async function probeSensors(reader: SystemReader): Promise<readonly TemperatureSensor[]> {
  const zones = await listZones(reader);
  const sensors = await Promise.all(
    zones.map(async (zone): Promise<TemperatureSensor | undefined> => {
      const name = await zoneName(reader, zone);
      if (name === undefined) return undefined;
      const trips = await readTrips(reader, zone);
      const lowest = (types: readonly string[]) =>
        trips
          .filter((trip) => types.includes(trip.type))
          .map((trip) => trip.celsius)
          .sort((a, b) => a - b)[0];
      return { name, throttlesAtC: lowest(['passive', 'hot']), criticalAtC: lowest(['critical']) };
    }),
  );
  const named = sensors.filter((sensor) => sensor !== undefined);
  if (named.length > 0) return named;
  return (await readHwmon(reader)).map(({ name }) => ({ name }));
}

async function listZones(reader: SystemReader): Promise<readonly string[]> {
  return matching(await reader.list(zonesFolder), /^thermal_zone\d+$/).slice(0, maxSensors);
}

/** The Nano's PMIC-Die always reads 100 degrees: it is a threshold, not a sensor. */
async function zoneName(reader: SystemReader, zone: string): Promise<string | undefined> {
  const name = line(await reader.readText(`${zonesFolder}/${zone}/type`));
  return name === undefined || /^pmic-die$/i.test(name) ? undefined : name;
}

async function readZones(reader: SystemReader): Promise<readonly Temperature[]> {
  const readings = await Promise.all(
    (await listZones(reader)).map(async (zone): Promise<Temperature | undefined> => {
      const [name, text] = await Promise.all([zoneName(reader, zone), reader.readText(`${zonesFolder}/${zone}/temp`)]);
      const celsius = millidegrees(text);
      return name === undefined || celsius === undefined ? undefined : { name, celsius };
    }),
  );
  return readings.filter((reading) => reading !== undefined);
}

async function readTrips(reader: SystemReader, zone: string): Promise<readonly { type: string; celsius: number }[]> {
  const names = matching(await reader.list(`${zonesFolder}/${zone}`), /^trip_point_\d+_type$/).slice(0, 16);
  const trips = await Promise.all(
    names.map(async (name) => {
      const [type, text] = await Promise.all([
        reader.readText(`${zonesFolder}/${zone}/${name}`),
        reader.readText(`${zonesFolder}/${zone}/${name.replace('_type', '_temp')}`),
      ]);
      const celsius = millidegrees(text);
      return type === undefined || celsius === undefined || celsius <= 0 ? undefined : { type: type.trim(), celsius };
    }),
  );
  return trips.filter((trip) => trip !== undefined);
}

async function readHwmon(reader: SystemReader): Promise<readonly Temperature[]> {
  const chips = matching(await reader.list(hwmonFolder), /^hwmon\d+$/).slice(0, maxSensors);
  const readings = await Promise.all(
    chips.map(async (chip) => {
      const folder = `${hwmonFolder}/${chip}`;
      const [name, entries] = await Promise.all([reader.readText(`${folder}/name`), reader.list(folder)]);
      const chipName = line(name) ?? chip;
      return Promise.all(
        matching(entries, /^temp\d+_input$/).map(async (entry): Promise<Temperature | undefined> => {
          const [label, text] = await Promise.all([
            reader.readText(`${folder}/${entry.replace('_input', '_label')}`),
            reader.readText(`${folder}/${entry}`),
          ]);
          const celsius = millidegrees(text);
          return celsius === undefined
            ? undefined
            : { name: [chipName, line(label)].filter(Boolean).join(' '), celsius };
        }),
      );
    }),
  );
  return readings
    .flat()
    .filter((reading) => reading !== undefined)
    .slice(0, maxSensors);
}

function millidegrees(text: string | undefined): number | undefined {
  const value = decimal(text);
  return plausibleCelsius(value === undefined ? undefined : value / 1000);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
