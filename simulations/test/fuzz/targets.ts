import { readFileSync } from 'node:fs';
import { fromUtf8, utf8 } from '@shoal/protocol';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { parseFleet } from '../../src/fleet/index.ts';
import { parseRegression } from '../../src/run/script.ts';

const fleets = ['home', 'shop', 'site', 'city'].map((name) =>
  readFileSync(new URL(`../../fleets/${name}.yaml`, import.meta.url)),
);
const life = readFileSync(new URL('../../regressions/planted-device-sequences.json', import.meta.url));

const aliased = `name: a
title: &t b
devices: [{ class: pi-5, count: 1, link: { mbit: 5, rtt: 1 ms } }]
workloads: [{ name: *t, rate: 2 /s, size: 60 kB }, { name: c, burst: { every: 30 s, count: 6 }, size: 1 MB, deadline: 1 min }]
`;

const small = [
  {
    name: 'a',
    title: 'b',
    devices: [
      {
        class: 'phone',
        count: 2,
        link: 'wifi',
        labels: { site: 'x' },
        battery: { level: 80, floor: 40, charging: [{ from: '22:00', to: '06:00', watts: 7 }] },
        fails: { every: '1 h', for: '5 min' },
      },
    ],
    workloads: [
      { name: 'c', rate: '2 /s', size: '60 kB', deadline: '800 ms', objects: { few: 0.5, some: 0.25, many: 0.25 } },
      { name: 'd', burst: { every: '30 s', count: 60 }, size: '1 MB', accuracyLoss: 0.5, critical: true },
    ],
  },
];

/** Numbers without end or sense would be a world without end or sense. */
function requireNumbers(value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${value} is taken for a quantity`);
  if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) requireNumbers(member);
}

export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'fleet file',
    form: 'text',
    samples: [...fleets, utf8(aliased)],
    refuses: ['input.invalid'],
    cost: 60,
    take: (bytes) => requireNumbers(parseFleet(fromUtf8(bytes))),
  },
  {
    // JSON is YAML.
    name: 'fleet file as JSON',
    form: 'json',
    samples: small.map((fleet) => utf8(JSON.stringify(fleet))),
    refuses: ['input.invalid'],
    cost: 60,
    take: (bytes) => requireNumbers(parseFleet(fromUtf8(bytes))),
  },
  {
    name: 'life of a world',
    form: 'json',
    samples: [life],
    refuses: ['input.invalid'],
    take: (bytes) => requireNumbers(parseRegression(fromUtf8(bytes))),
  },
];
