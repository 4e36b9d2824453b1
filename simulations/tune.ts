import { defaultCostWeights } from '@shoal/coordinator';
import { CoarseWorld } from './src/coarse/coarse-world.ts';
import type { Fleet } from './src/fleet/fleet.ts';
const wifi = { bytesPerMs: 5_000, rttMs: 4 }, lan = { bytesPerMs: 12_500, rttMs: 1 };
const mix = { few: 0.6, some: 0.3, many: 0.1 };
const shop = (deadline: number | undefined, burst: number): Fleet => ({
  name: 'shop', title: '', devices: [
    { class: 'pi-4', count: 4, labels: {}, link: wifi }, { class: 'pi-5', count: 3, labels: {}, link: lan }, { class: 'pi-4-coral', count: 2, labels: {}, link: lan },
    { class: 'pi-5-hailo', count: 1, labels: {}, link: lan }, { class: 'jetson-nano', count: 2, labels: {}, link: lan }, { class: 'orin-nano', count: 1, labels: {}, link: lan }, { class: 'n100', count: 1, labels: {}, link: lan },
  ],
  workloads: [{ name: 'pictures', perSecond: 6, inputBytes: 60_000, objects: mix, accuracyLoss: 1, ...(deadline && { deadlineMs: deadline }), ...(burst && { burst: { everyMs: 20_000, count: burst } }) }],
});
const show = (name: string, fleet: Fleet, strategy: string, weights = defaultCostWeights) => {
  const w = new CoarseWorld({ fleet, seed: 1, strategy, weights }); w.run(600_000); const t = w.tally;
  console.log(name.padEnd(30), 'J', t.joulesPerTask.toFixed(4), 'mean', (t.latenciesMs.reduce((a, b) => a + b, 0) / t.finished).toFixed(1), 'mAP', t.accuracy.toFixed(4), 'missed', (100 * t.missed).toFixed(2));
};
for (const [title, fleet] of [['none', shop(undefined, 0)], ['burst 80/500', shop(500, 80)], ['burst 150/700', shop(700, 150)]] as const) {
  console.log(title);
  for (const s of ['most-accurate', 'ecore']) show(s, fleet, s);
  for (const perAccuracy of [0.3, 0.5, 1]) for (const perSecond of [0.1, 0.3]) for (const perMiss of [0.3, 2])
    show(`acc ${perAccuracy} time ${perSecond} miss ${perMiss}`, fleet, 'cost', { ...defaultCostWeights, perAccuracy, perSecond, perMiss, perSecondLate: perMiss * 2, perScarceSecond: 0.1 });
}
