import { defaultCostWeights, FleetIndex, place, strategyNamed } from '@shoal/coordinator';
import { seededRandom } from '@shoal/protocol';
import { CoarseWorld, choicesFor } from './src/coarse/coarse-world.ts';

const n = Number(process.argv[2] ?? 10_000);
const lan = { bytesPerMs: 12_500, rttMs: 1 };
const share = {
  'pi-3b-plus': 0.1,
  'pi-4': 0.3,
  'pi-5': 0.2,
  'pi-4-coral': 0.1,
  'pi-5-hailo': 0.05,
  'jetson-nano': 0.05,
  'orin-nano': 0.05,
  phone: 0.1,
  'phone-npu': 0.05,
};
const battery = { wattHours: 10, levelPct: 65, spreadPct: 30, floorPct: 30, charging: [] };
const fleet = {
  name: 'x',
  title: '',
  workloads: [],
  devices: Object.entries(share).map(([c, s]) => ({
    class: c as any,
    count: Math.round(n * s),
    labels: {},
    link: lan,
    ...(c.startsWith('phone') && { battery }),
  })),
};
let t0 = performance.now();
const w = new CoarseWorld({ fleet, seed: 1, strategy: 'cost' });
console.log('built', (performance.now() - t0).toFixed(0), 'ms', process.memoryUsage().rss / 1e6);
w.run(20_000);
const random = seededRandom(2);
const work = {
  choices: choicesFor('few', 1),
  inputBytes: 60_000,
  labels: {},
  timeLeftMs: 500,
  tried: new Set<string>(),
  declined: new Map<string, string>(),
};
const ctx = {
  nowMs: 20_000,
  wallMs: 20_000,
  random,
  limits: { batteryFloorPct: 30, criticalFloorPct: 15, attemptsPerDevice: 512 },
  strategy: strategyNamed('cost'),
  weights: defaultCostWeights,
};
const exact = {
  ...w.registry.fleet,
  size: n,
  acceleratorsBusy: 0,
  device: () => undefined,
  all: () => w.registry.fleet.all(),
};
// load it up
const held: [any, any][] = [];
const one = (fl: any) => {
  const p = place(fl, work, ctx);
  if (p.kind !== 'placed') return;
  const d = w.registry.device(p.placement.chosen.device)!;
  const s = { time: { meanMs: p.placement.chosen.inferenceMs, varianceMs2: 0 }, energyJ: p.placement.chosen.energyJ };
  d.take(s);
  held.push([d, s]);
  if (held.length > 3000) {
    const [dd, ss] = held.splice(Math.floor(random.next() * held.length), 1)[0]!;
    dd.drop(ss);
  }
  return p.placement.chosen.cost.total;
};
for (let i = 0; i < 20_000; i++) one(w.registry.fleet);
const lat: number[] = [];
t0 = performance.now();
for (let i = 0; i < 20_000; i++) {
  const a = performance.now();
  one(w.registry.fleet);
  lat.push(performance.now() - a);
}
console.log(
  'sampled',
  ((20_000 / (performance.now() - t0)) * 1000).toFixed(0),
  '/s p99',
  lat.toSorted((a, b) => a - b)[19800]!.toFixed(3),
  'ms',
);
let cs = 0,
  ce = 0;
t0 = performance.now();
for (let i = 0; i < 200; i++) {
  const a = place(w.registry.fleet, work, ctx),
    b = place(exact as any, work, ctx);
  if (a.kind === 'placed' && b.kind === 'placed') {
    cs += a.placement.chosen.cost.total;
    ce += b.placement.chosen.cost.total;
  }
  one(w.registry.fleet);
}
console.log('cost sampled/exact', (cs / ce).toFixed(4), 'exact ms each', ((performance.now() - t0) / 200).toFixed(2));
