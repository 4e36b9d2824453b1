import { drawInstance, optimum, placeInTurn } from '@shoal/simulations';
import { absoluteFigure, type Figure, quantile, type Report } from './harness.ts';

const instances = 1_000;
/** Instances with at least so many works are told apart: there, works compete for devices. */
const crowdedFrom = 6;

/** Work that is placed as it comes, against the best that could have been done with all of it at once: random small instances that can be solved. */
export function againstOptimum(report: Report): readonly Figure[] {
  const all = { cost: 0, least: 0 };
  const crowded = { cost: 0, least: 0 };
  const ratios: number[] = [];
  let [left, more, refusedWrongly] = [instances, 0, 0];
  for (let seed = 1; left > 0; seed++) {
    const instance = drawInstance(seed);
    const { fleet, devices, works, context } = instance;
    const best = optimum({ devices, works, context, acceleratorsBusy: fleet.acceleratorsBusy });
    // Where nothing can be done there is nothing to compare.
    if (best.served === 0) continue;
    left -= 1;
    const found = placeInTurn(instance);
    refusedWrongly += found.refusedWrongly;
    if (found.served < best.served) {
      more += 1;
      continue;
    }
    ratios.push(found.cost / best.cost);
    for (const sum of works.length >= crowdedFrom ? [all, crowded] : [all]) {
      sum.cost += found.cost;
      sum.least += best.cost;
    }
  }
  const equal = ratios.filter((ratio) => ratio < 1 + 1e-9).length / ratios.length;
  const ofCrowded = (crowded.cost / crowded.least).toFixed(3);
  report.line(
    `of ${instances} instances ${(100 * equal).toFixed(0)} % are placed at their optimum, 95 % within ${quantile(ratios, 0.95).toFixed(2)}x of it, the worst at ${quantile(ratios, 1).toFixed(2)}x; those of ${crowdedFrom} works and more at ${ofCrowded}x in all`,
  );
  report.line(
    `in ${more} of them (not counted in the costs) looking at all at once would have found devices for more of the works`,
  );
  return [
    absoluteFigure('mean cost, over the optimum', 'x', all.cost / all.least, { atMost: 1.05 }),
    absoluteFigure('works refused that a device could take', 'works', refusedWrongly, { atMost: 0 }),
  ];
}
