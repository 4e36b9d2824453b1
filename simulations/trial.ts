import { CoarseWorld } from './src/coarse/coarse-world.ts';
import type { Fleet } from './src/fleet/fleet.ts';
const wifi = { bytesPerMs: 5_000, rttMs: 4 }, lan = { bytesPerMs: 12_500, rttMs: 1 }, lte = { bytesPerMs: 1_500, rttMs: 50 };
const mix = { few: 0.6, some: 0.3, many: 0.1 };
const shop = (deadline?: number, burst = true): Fleet => ({
  name: 'shop', title: '', devices: [
    { class: 'pi-4', count: 4, labels: {}, link: wifi },
    { class: 'pi-5', count: 3, labels: {}, link: lan },
    { class: 'pi-4-coral', count: 2, labels: {}, link: lan },
    { class: 'pi-5-hailo', count: 1, labels: {}, link: lan },
    { class: 'jetson-nano', count: 2, labels: {}, link: lan },
    { class: 'orin-nano', count: 1, labels: {}, link: lan },
    { class: 'n100', count: 1, labels: {}, link: lan },
  ],
  workloads: [{ name: 'pictures', perSecond: Number(process.argv[2] ?? 6), inputBytes: 120_000, objects: mix, accuracyLoss: 1, ...(deadline && { deadlineMs: deadline }), ...(burst && { burst: { everyMs: 20_000, count: Number(process.argv[4] ?? 60) } }) }],
});
const q = (a: number[], p: number) => a.toSorted((x, y) => x - y)[Math.floor(p * a.length)]?.toFixed(0);
for (const [title, fleet] of [['no deadline', shop(undefined, false)], ['bursts, deadline', shop(Number(process.argv[3] ?? 500))]] as const) {
  console.log(title);
  for (const strategy of ['most-accurate', 'ecore', 'cost', 'least-loaded', 'fastest', 'round-robin', 'power-of-two', 'weighted', 'random']) {
    const t0 = performance.now();
    const w = new CoarseWorld({ fleet, seed: 1, strategy });
    w.run(600_000);
    const t = w.tally;
    console.log(strategy.padEnd(14), 'J/task', t.joulesPerTask.toFixed(3), 'mean', (t.latenciesMs.reduce((a, b) => a + b, 0) / t.finished).toFixed(0), 'p95', q(t.latenciesMs, 0.95), 'mAP', t.accuracy.toFixed(4), 'missed', (100 * t.missed).toFixed(2) + '%', 'n', t.finished, `${(performance.now() - t0).toFixed(0)} ms`);
  }
}
