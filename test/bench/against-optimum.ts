import {
  assignTogether,
  defaultCoordinatorConfig,
  defaultCostWeights,
  mostTogether,
  type PlacementContext,
  placementLimitsOf,
  strategyNamed,
  type Work,
} from '@shoal/coordinator';
import { seededRandom } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import {
  drawInstance,
  type Instance,
  type InTurn,
  optimum,
  placeInTurn,
  placeTogether,
  type Solution,
} from '@shoal/simulations';
import { absoluteFigure, cpuMs, type Figure, median, quantile, type Report } from './harness.ts';
import { choices, registeredFleet } from './registered-fleet.ts';

const instances = 1_000;
/** Instances with at least so many works are told apart: there, works compete for devices. */
const crowdedFrom = 6;

/** What comes in, placed one after the other and together, against the best that could have been done with it: random small instances that can be solved. */
export function againstOptimum(report: Report): readonly Figure[] {
  const inTurn = new Comparison();
  const together = new Comparison();
  for (let seed = 1; inTurn.count < instances; seed++) {
    const { devices, works, context, fleet } = drawInstance(seed);
    const best = optimum({ devices, works, context, acceleratorsBusy: fleet.acceleratorsBusy });
    // Where nothing can be done there is nothing to compare.
    if (best.served === 0) continue;
    inTurn.add(best, placeInTurn(drawInstance(seed)), works.length);
    together.add(best, placeTogether(drawInstance(seed)), works.length);
  }
  report.line(`one after the other: ${inTurn.text}`);
  report.line(`together: ${together.text}`);
  return [
    absoluteFigure('mean cost, over the optimum', 'x', inTurn.ratio, { atMost: 1.05 }),
    absoluteFigure('mean cost, placed together', 'x', together.ratio, { atMost: 1.02 }),
    absoluteFigure('works refused that a device could take', 'works', inTurn.refusedWrongly + together.refusedWrongly, {
      atMost: 0,
    }),
    absoluteFigure(`${mostTogether} works placed together, 64 devices`, 'ms', togetherMs(), { atMost: 50 }),
  ];
}

class Comparison {
  count = 0;
  refusedWrongly = 0;
  /** Instances in which the optimum serves more of the works. */
  #more = 0;
  readonly #ratios: number[] = [];
  readonly #all = { cost: 0, least: 0 };
  readonly #crowded = { cost: 0, least: 0 };

  add(best: Solution, found: InTurn, works: Instance['works']['length']): void {
    this.count += 1;
    this.refusedWrongly += found.refusedWrongly;
    if (found.served < best.served) {
      this.#more += 1;
      return;
    }
    this.#ratios.push(found.cost / best.cost);
    for (const sum of works >= crowdedFrom ? [this.#all, this.#crowded] : [this.#all]) {
      sum.cost += found.cost;
      sum.least += best.cost;
    }
  }

  get ratio(): number {
    return this.#all.cost / this.#all.least;
  }

  get text(): string {
    const ratios = this.#ratios;
    const equal = (100 * ratios.filter((ratio) => ratio < 1 + 1e-9).length) / ratios.length;
    const times = (ratio: number) => `${ratio.toFixed(3)}x`;
    return (
      `${equal.toFixed(0)} % of ${this.count} instances at their optimum, 95 % within ${times(quantile(ratios, 0.95))}, the worst at ${times(quantile(ratios, 1))}; ` +
      `those of ${crowdedFrom} works and more at ${times(this.#crowded.cost / this.#crowded.least)} in all; in ${this.#more}, which do not count, fewer works find a device than could`
    );
  }
}

/** Processor time that one decision takes: as many works as are decided on at a time, of several sorts. */
function togetherMs(): number {
  const random = seededRandom(3);
  const { registry } = registeredFleet(64, new VirtualClock(), random);
  const context: PlacementContext = {
    nowMs: 0,
    wallMs: 0,
    random,
    limits: { ...placementLimitsOf(defaultCoordinatorConfig), attemptsPerDevice: 64 },
    strategy: strategyNamed('min-cost-flow'),
    weights: defaultCostWeights,
  };
  const works: readonly Work[] = Array.from({ length: mostTogether }, (_, n) => ({
    choices,
    inputBytes: 60_000,
    labels: {},
    timeLeftMs: [200, 500, 1_000, 5_000][n % 4] as number,
    tried: new Set<string>(),
    declined: new Map<string, string>(),
  }));
  const tookMs = Array.from({ length: 31 }, () => {
    const beforeMs = cpuMs();
    assignTogether(registry.fleet, works, context);
    return cpuMs() - beforeMs;
  });
  return median(tookMs);
}
