import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseFleet } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

const fleets = join(import.meta.dirname, '../../fleets');
const barn = `
name: barn
title: Two boards in a barn
devices:
  - { class: pi-5, count: 1, link: ethernet, labels: { place: barn } }
  - class: pi-4
    count: 2
    link: { mbit: 8, rtt: 40 ms }
    battery: { level: 80, spread: 5, floor: 35, charging: [{ from: "22:30", to: "06:00", watts: 10 }] }
workloads:
  - { name: gate, rate: 30 /min, burst: { every: 0.5 min, count: 20 }, deadline: 500 ms, size: 60 kB }
`;

describe('a fleet file', () => {
  it('says what devices there are and what is asked of them', () => {
    expect(parseFleet(barn)).toEqual({
      name: 'barn',
      title: 'Two boards in a barn',
      devices: [
        { class: 'pi-5', count: 1, link: { bytesPerMs: 11_750, rttMs: 0.5 }, labels: { place: 'barn' } },
        {
          class: 'pi-4',
          count: 2,
          link: { bytesPerMs: 1_000, rttMs: 40 },
          labels: {},
          battery: {
            wattHours: 37,
            levelPct: 80,
            spreadPct: 5,
            floorPct: 35,
            charging: [{ fromMinute: 1_350, toMinute: 360, watts: 10 }],
          },
        },
      ],
      workloads: [
        {
          name: 'gate',
          perSecond: 0.5,
          burst: { everyMs: 30_000, count: 20 },
          deadlineMs: 500,
          inputBytes: 60_000,
          objects: { few: 0.6, some: 0.3, many: 0.1 },
          accuracyLoss: 1,
        },
      ],
      cameras: [],
    });
  });

  it('says which cameras there are, when they come and go, and which devices fail', () => {
    const text = `
name: barn
title: Cameras
devices: [{ class: pi-5, count: 1, link: ethernet, fails: { every: 2 h, for: 10 min } }]
cameras:
  - name: yard
    count: 3
    fps: 2
    stream: { width: 1920, height: 1080, fps: 25, codec: h265 }
    substream: { width: 640, height: 360, fps: 10 }
    priority: 7
    p95: 300 ms
    labels: { place: barn }
    objects: { few: 1, some: 0, many: 0 }
    accuracyLoss: 0.05
    comes: "06:00"
    goes: "22:00"
  - { name: gate, count: 1, fps: 0.5, stream: { width: 1280, height: 720, fps: 15 }, comes: { every: 1 h, for: 5 min } }
`;
    expect(parseFleet(text)).toMatchObject({
      devices: [{ fails: { everyMs: 7_200_000, forMs: 600_000 } }],
      workloads: [],
      cameras: [
        {
          name: 'yard',
          count: 3,
          fps: 2,
          stream: { width: 1_920, height: 1_080, fps: 25, codec: 'h265' },
          substream: { width: 640, height: 360, fps: 10, codec: 'h264' },
          priority: 7,
          p95Ms: 300,
          labels: { place: 'barn' },
          objects: { few: 1, some: 0, many: 0 },
          accuracyLoss: 0.05,
          there: { fromMinute: 360, toMinute: 1_320 },
        },
        {
          name: 'gate',
          labels: {},
          objects: { few: 0.6, some: 0.3, many: 0.1 },
          accuracyLoss: 1,
          there: { everyMs: 3_600_000, forMs: 300_000 },
        },
      ],
    });
  });

  const camera = (more: string) => `${barn}
cameras:
  - { name: yard, count: 1, fps: 2, stream: { width: 1280, height: 720, fps: 15 }${more} }`;
  it.each<[string, string, RegExp]>([
    ['no stream', camera('').replace(/, stream.*\} \}$/, ' }'), /^cameras\[0\].stream is missing/],
    ['no rate', camera('').replace('fps: 2', 'fps: 0'), /^cameras\[0\].fps must be a number from 0.01 to 120; it is 0/],
    ['half a picture', camera('').replace('1280', '0.5'), /^cameras\[0\].stream.width must be a whole number/],
    [
      'another codec',
      camera('').replace('fps: 15', 'fps: 15, codec: vp9'),
      /codec must be "h264" or "h265"; it is "vp9"/,
    ],
    ['too high a priority', camera(', priority: 10'), /^cameras\[0\].priority must be a number from 0 to 9; it is 10/],
    ['a p95 without a unit', camera(', p95: 300'), /^cameras\[0\].p95 must be a time such as/],
    [
      'nothing after it comes',
      camera(', comes: "08:00"'),
      /^cameras\[0\].goes is missing: it comes at a time of the day/,
    ],
    [
      'nothing before it goes',
      camera(', goes: "08:00"'),
      /^cameras\[0\].comes is missing: it goes at a time of the day/,
    ],
    ['no time there', camera(', comes: "08:00", goes: "08:00"'), /^cameras\[0\].goes must not be when it comes/],
    [
      'two ends',
      camera(', comes: { every: 1 h, for: 5 min }, goes: "08:00"'),
      /^cameras\[0\].goes says twice how long it stays/,
    ],
    [
      'longer stays than pauses allow',
      camera(', comes: { every: 1 h, for: 60 min }'),
      /^cameras\[0\].comes.for must be shorter than `every`/,
    ],
    [
      'too many',
      camera('')
        .replace('count: 1, fps', 'count: 5000, fps')
        .replace('cameras:', 'cameras:\n  - { name: a, count: 1, fps: 1, stream: { width: 64, height: 64, fps: 1 } }'),
      /^cameras are 5001 in all; 5000 are the most/,
    ],
  ])('with a camera with %s is refused, and says what would be right', (_, text, message) => {
    expect(() => parseFleet(text)).toThrow(
      expect.objectContaining({ code: 'input.invalid', message: expect.stringMatching(message) }),
    );
  });

  it('is as the documentation shows it', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../docs/simulator.md'), 'utf8');
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(docs) ?? [];
    expect(parseFleet(example)).toMatchObject({ name: 'barn', workloads: [{}], cameras: [{ name: 'yard' }] });
  });

  it.each(readdirSync(fleets))('that comes with Shoal can be read: %s', (file) => {
    const fleet = parseFleet(readFileSync(join(fleets, file), 'utf8'));
    expect(`${fleet.name}.yaml`).toBe(file);
    expect(fleet.workloads.length + fleet.cameras.length).toBeGreaterThan(0);
  });

  const changed = (from: string, to: string) => barn.replace(from, to);
  it.each<[string, string, RegExp]>([
    ['no YAML', '{ a: [', /^the fleet file is not YAML: /],
    ['nothing', '', /must be an object/],
    ['an unknown class', changed('pi-5', 'pi-9'), /^devices\[0\].class must be .*"pi-4".*; it is "pi-9"$/],
    ['no devices', changed('count: 1', 'count: 0'), /^devices\[0\].count must be a number from 1 to .*; it is 0$/],
    ['half a device', changed('count: 1', 'count: 1.5'), /^devices\[0\].count must be a whole number/],
    ['too many devices', changed('count: 1', 'count: 1000000'), /^devices are 1000002 in all; 1000000 are the most/],
    [
      'a negative battery',
      changed('level: 80', 'level: -5'),
      /^devices\[1\].battery.level must be .* 0 to 100; it is -5$/,
    ],
    [
      'a battery of nothing',
      changed('level: 80', 'wattHours: 0, level: 80'),
      /battery.wattHours must be a number from/,
    ],
    [
      'a time without quotes',
      changed('"22:30"', '22.5'),
      /charging\[0\].from must be a time of the day such as "22:00", in quotes/,
    ],
    ['an hour that is none', changed('22:30', '25:30'), /charging\[0\].from must be a time of the day/],
    [
      'a link that is none',
      changed('link: ethernet', 'link: string'),
      /^devices\[0\].link must be ethernet, wifi, lte, lora, or have/,
    ],
    ['a deadline without a unit', changed('500 ms', '500'), /^workloads\[0\].deadline must be a time such as `500 ms`/],
    ['a unit that only objects have', changed('500 ms', '500 constructor'), /^workloads\[0\].deadline must be a time/],
    ['a quantity that is an object', changed('500 ms', '{ toString: 1 }'), /^workloads\[0\].deadline must be a time/],
    ['a quantity that holds itself', changed('500 ms', '&a [*a]'), /^workloads\[0\].deadline must be a time/],
    ['a rate of nothing', changed('30 /min', '0 /s'), /^workloads\[0\].rate must be above 0/],
    [
      'neither rate nor burst',
      changed('rate: 30 /min, burst: { every: 0.5 min, count: 20 }, ', ''),
      /has neither a `rate` nor a `burst`/,
    ],
    [
      'shares that do not sum to 1',
      changed('size: 60 kB', 'size: 60 kB, objects: { few: 1, some: 1, many: 0 }'),
      /objects are shares that must sum to 1; they sum to 2/,
    ],
    [
      'a misspelt field',
      changed('deadline:', 'deadlin:'),
      /^workloads\[0\].deadlin is not known here; known are name, rate/,
    ],
    [
      'a class without a battery of its own',
      changed('class: pi-4', 'class: n100'),
      /battery.wattHours is missing: devices of this class/,
    ],
  ])('with %s is refused, and says what would be right', (_, text, message) => {
    expect(() => parseFleet(text)).toThrow(
      expect.objectContaining({ code: 'input.invalid', message: expect.stringMatching(message) }),
    );
  });
});
