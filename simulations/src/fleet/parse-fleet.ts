import { JsonField, ShoalError } from '@shoal/protocol';
import { parse } from 'yaml';
import { type DeviceClassName, deviceClasses } from './device-classes.ts';
import type { Battery, DeviceGroup, Fleet, Link, Workload } from './fleet.ts';
import { parseCameras } from './parse-cameras.ts';
import { parseByChance, parseLabels, parseObjects } from './parse-parts.ts';
import { bytesOf, minuteOf, msOf, perSecondOf } from './units.ts';

const mostDevices = 1_000_000;
/** As many as a coordinator takes. */
const mostCameras = 5_000;
const mostPerSecond = 1e6;
const longestMs = 86_400_000;

/** Usual links. */
export const links = {
  ethernet: { bytesPerMs: 11_750, rttMs: 0.5 },
  wifi: { bytesPerMs: 5_000, rttMs: 4 },
  lte: { bytesPerMs: 1_500, rttMs: 50 },
  lora: { bytesPerMs: 1, rttMs: 1_500 },
} as const satisfies Record<string, Link>;

/**
 * Reads a fleet file: YAML, see docs/simulator.md. @throws `input.invalid` that names the field, what is wrong with it and what would be right.
 */
export function parseFleet(text: string): Fleet {
  const root = new JsonField('', parseYaml(text), 'input.invalid');
  const { name, title, devices, workloads, cameras } = root.object(
    'name',
    'title',
    'devices',
    'workloads?',
    'cameras?',
  );
  const fleet: Fleet = {
    name: name.text({ pattern: /^[a-z0-9][a-z0-9-]{0,63}$/, what: 'lower-case letters, digits and hyphens' }),
    title: title.text(),
    devices: devices.list(1, 1_000).map(parseDevices),
    workloads: workloads.value === undefined ? [] : workloads.list(0, 1_000).map(parseWorkload),
    cameras: cameras.value === undefined ? [] : cameras.list(0, 1_000).map(parseCameras),
  };
  const count = fleet.devices.reduce((sum, group) => sum + group.count, 0);
  if (count > mostDevices) throw devices.wrong(`are ${count} in all; ${mostDevices} are the most`);
  const watched = fleet.cameras.reduce((sum, group) => sum + group.count, 0);
  if (watched > mostCameras) throw cameras.wrong(`are ${watched} in all; ${mostCameras} are the most`);
  return fleet;
}

function parseYaml(text: string): unknown {
  try {
    // What is only odd to the library is no matter of the terminal: every field is checked below.
    return parse(text, { logLevel: 'error' });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new ShoalError('input.invalid', `the fleet file is not YAML: ${why}`, {}, { cause });
  }
}

function parseDevices(field: JsonField): DeviceGroup {
  const fields = field.object('class', 'count', 'link', 'labels?', 'battery?', 'fails?');
  const name = fields.class.oneOf(...(Object.keys(deviceClasses) as DeviceClassName[]));
  return {
    class: name,
    count: fields.count.integer(1, mostDevices),
    link: parseLink(fields.link),
    labels: parseLabels(fields.labels),
    ...fields.battery.optional('battery', (battery) => parseBattery(battery, deviceClasses[name].batteryWh)),
    ...fields.fails.optional('fails', parseByChance),
  };
}

function parseLink(field: JsonField): Link {
  if (typeof field.value === 'string') {
    const [, link] = Object.entries<Link>(links).find(([name]) => name === field.value) ?? [];
    if (!link) throw field.wrong(`must be ${Object.keys(links).join(', ')}, or have \`mbit\` and \`rtt\``);
    return link;
  }
  const { mbit, rtt } = field.object('mbit', 'rtt');
  return { bytesPerMs: mbit.number(0.001, 100_000) * 125, rttMs: msOf(rtt, 0, 60_000) };
}

function parseBattery(field: JsonField, usualWh: number | undefined): Battery {
  const { wattHours, level, spread, floor, charging } = field.object(
    'wattHours?',
    'level?',
    'spread?',
    'floor?',
    'charging?',
  );
  if (wattHours.value === undefined && usualWh === undefined) {
    throw wattHours.wrong('is missing: devices of this class have no battery of their own');
  }
  const levelPct = level.value === undefined ? 100 : level.number(0, 100);
  return {
    wattHours: wattHours.value === undefined ? (usualWh ?? 0) : wattHours.number(0.001, 1e6),
    levelPct,
    spreadPct: spread.value === undefined ? 0 : spread.number(0, 100),
    floorPct: floor.value === undefined ? 30 : floor.number(0, 100),
    charging: charging.value === undefined ? [] : charging.list(0, 24).map(parseCharging),
  };
}

function parseCharging(field: JsonField): Battery['charging'][number] {
  const { from, to, watts } = field.object('from', 'to', 'watts');
  return { fromMinute: minuteOf(from), toMinute: minuteOf(to), watts: watts.number(0, 1e6) };
}

function parseWorkload(field: JsonField): Workload {
  const fields = field.object('name', 'rate?', 'burst?', 'deadline?', 'size', 'objects?', 'accuracyLoss?', 'critical?');
  const { rate, burst, deadline, size, objects, accuracyLoss, critical } = fields;
  if (rate.value === undefined && burst.value === undefined) throw field.wrong('has neither a `rate` nor a `burst`');
  return {
    name: fields.name.text({ maxLength: 64 }),
    perSecond: rate.value === undefined ? 0 : perSecondOf(rate, mostPerSecond),
    ...burst.optional('burst', parseBurst),
    ...deadline.optional('deadlineMs', (each) => msOf(each, 1, longestMs)),
    inputBytes: bytesOf(size, 1e9),
    objects: parseObjects(objects),
    accuracyLoss: accuracyLoss.value === undefined ? 1 : accuracyLoss.number(0, 1),
    ...critical.optional('critical', (each) => each.boolean()),
  };
}

function parseBurst(field: JsonField): NonNullable<Workload['burst']> {
  const { every, count } = field.object('every', 'count');
  return { everyMs: msOf(every, 1, longestMs), count: count.integer(1, 1_000_000) };
}
