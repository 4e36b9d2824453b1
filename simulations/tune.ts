import { readFileSync } from 'node:fs';
import { CoarseWorld } from './src/coarse/coarse-world.ts';
import { parseFleet } from './src/fleet/parse-fleet.ts';

const [name = 'shop', minutes = '10', noDeadline, loss = '1'] = process.argv.slice(2);
let fleet = parseFleet(readFileSync(`simulations/fleets/${name}.yaml`, 'utf8'));
if (noDeadline === 'x')
  fleet = { ...fleet, workloads: fleet.workloads.filter((w) => !w.burst).map(({ deadlineMs: _, ...w }) => w) };
fleet = { ...fleet, workloads: fleet.workloads.map((w) => ({ ...w, accuracyLoss: Number(loss) })) };
for (const strategy of ['most-accurate', 'ecore', 'cost', 'least-loaded']) {
  const w = new CoarseWorld({ fleet, seed: 1, strategy, startMs: 18 * 3_600_000 });
  const t0 = performance.now();
  w.run(Number(minutes) * 60_000);
  const t = w.tally;
  const floors = w.devices.flatMap((d) => d.atFloorMs ?? []),
    under = w.devices.filter((d) => d.underFloorMs !== undefined).length;
  console.log(
    strategy.padEnd(14),
    'J/task',
    t.joulesPerTask.toFixed(4),
    'mean',
    (t.latenciesMs.reduce((a, b) => a + b, 0) / t.finished).toFixed(1),
    'mAP',
    t.accuracy.toFixed(4),
    'missed',
    (100 * t.missed).toFixed(2) + '%',
    'n',
    t.finished,
    'first at floor h',
    floors.length ? (Math.min(...floors) / 3_600_000 - 18).toFixed(2) : '-',
    'at floor',
    floors.length,
    'pushed',
    under,
    `${((performance.now() - t0) / 1000).toFixed(1)} s`,
  );
}
