import {
  defaultCoordinatorConfig,
  defaultCostWeights,
  type FleetDevice,
  type FleetSnapshot,
  type PlacementContext,
  place,
  placementLimitsOf,
  strategyNamed,
  type Work,
} from '@shoal/coordinator';
import { type Random, seededRandom } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { againstOptimum } from '../against-optimum.ts';
import { absoluteFigure, type Bench, cpuMs, type Figure, median, quantile, type Report } from '../harness.ts';
import { choices, registeredFleet, telemetryIntervalMs, report as tell } from '../registered-fleet.ts';

const devices = 10_000;
/** Pieces of work that are with devices at any time: some devices wait for more, the best ones are busy. */
const inHand = 3_000;
const rounds = 11;
const placementsRound = 20_000;
const compared = 400;
const manyDevices = 100_000;
const telemetrySeconds = 30;

export const placeBench: Bench = {
  name: 'place',
  title: `work placed by cost on ${devices} devices, against a look at all of them; 1,000 small instances against their optimum; telemetry of ${manyDevices} devices`,
  async run(report) {
    return [...placing(report), ...againstOptimum(report), await telemetry(report)];
  },
};

function placing(report: Report): readonly Figure[] {
  const random = seededRandom(1);
  const { registry } = registeredFleet(devices, new VirtualClock(), random);
  const load = new Load(registry.fleet, random);
  load.steps(2 * placementsRound);
  const rates = Array.from({ length: rounds }, () => {
    const beforeMs = cpuMs();
    load.steps(placementsRound);
    return (1_000 * placementsRound) / (cpuMs() - beforeMs);
  });
  report.noise('placements a second', rates);
  const tookMs = Array.from({ length: placementsRound }, () => {
    const beforeMs = performance.now();
    load.step();
    return performance.now() - beforeMs;
  });
  report.line(
    `p50 ${(quantile(tookMs, 0.5) * 1_000).toFixed(1)} us; ${(load.looks / load.count).toFixed(1)} devices looked at`,
  );
  const { ratio, exactMs } = load.againstExact(compared);
  report.line(`a look at all of them takes ${exactMs.toFixed(2)} ms`);
  return [
    absoluteFigure(`placements, ${devices} devices`, '/s of a core', median(rates), { atLeast: 100_000 }),
    absoluteFigure('one placement, p99', 'ms', quantile(tookMs, 0.99), { atMost: 1 }),
    absoluteFigure('cost, over that of the best device', 'x', ratio, { atMost: 1.02 }),
  ];
}

/** Places one piece of work after the other, and ends old ones. */
class Load {
  /** Pieces of work that were placed, and devices that were looked at for them. */
  count = 0;
  looks = 0;
  readonly #fleet: FleetSnapshot;
  readonly #random: Random;
  readonly #context: PlacementContext;
  readonly #held: { readonly device: FleetDevice; readonly share: Parameters<FleetDevice['take']>[0] }[] = [];

  constructor(fleet: FleetSnapshot, random: Random) {
    this.#fleet = fleet;
    this.#random = random;
    const limits = { ...placementLimitsOf(defaultCoordinatorConfig), attemptsPerDevice: 64 };
    this.#context = {
      nowMs: 0,
      wallMs: 0,
      random,
      limits,
      strategy: strategyNamed('cost'),
      weights: defaultCostWeights,
    };
  }

  steps(count: number): void {
    for (let n = 0; n < count; n++) this.step();
  }

  step(): void {
    const plan = place(this.#fleet, works[Math.floor(this.#random.next() * works.length)] as Work, this.#context);
    if (plan.kind === 'unplaced') throw new Error(plan.reason);
    const { chosen, considered } = plan.placement;
    this.count += 1;
    this.looks += considered;
    const device = this.#fleet.device(chosen.device) as FleetDevice;
    const share = { time: { meanMs: chosen.loadMs + chosen.inferenceMs, varianceMs2: 0 }, energyJ: chosen.energyJ };
    device.take(share);
    this.#held.push({ device, share });
    if (this.#held.length < inHand) return;
    const at = Math.floor(this.#random.next() * this.#held.length);
    const [last, ended] = [this.#held.pop(), this.#held[at]];
    if (last && ended) this.#held[at] = last;
    ended?.device.drop(ended.share);
  }

  /** The same work on the same fleet, once searched for and once with a look at every device. */
  againstExact(count: number): { readonly ratio: number; readonly exactMs: number } {
    let [searched, exact, exactMs] = [0, 0, 0];
    for (let n = 0; n < count; n++) {
      const fleet = this.#fleet;
      const { size, acceleratorsBusy } = fleet;
      const whole = { size, acceleratorsBusy, device: () => undefined, all: () => fleet.all() };
      const work = works[n % works.length] as Work;
      searched += costOf(fleet, work, this.#context);
      const startMs = performance.now();
      exact += costOf(whole, work, this.#context);
      exactMs += performance.now() - startMs;
      this.step();
    }
    return { ratio: searched / exact, exactMs: exactMs / count };
  }
}

/** Pictures of several sizes, some with a deadline. */
const works: readonly Work[] = [undefined, 300, 500, 2_000].flatMap((timeLeftMs) =>
  [40_000, 120_000].map((inputBytes) => ({
    choices,
    inputBytes,
    labels: {},
    ...(timeLeftMs !== undefined && { timeLeftMs }),
    tried: new Set<string>(),
    declined: new Map<string, string>(),
  })),
);

function costOf(fleet: FleetSnapshot, work: Work, context: PlacementContext): number {
  const plan = place(fleet, work, context);
  if (plan.kind === 'unplaced') throw new Error(plan.reason);
  return plan.placement.chosen.cost.total;
}

/** What a registry does for devices that do nothing but report. */
async function telemetry(report: Report): Promise<Figure> {
  const clock = new VirtualClock();
  const random = seededRandom(2);
  const { registry, devices } = registeredFleet(manyDevices, clock, random);
  registry.start();
  const perSecond = manyDevices / (telemetryIntervalMs / 1_000);
  const beforeMs = cpuMs();
  for (let second = 0; second < telemetrySeconds; second++) {
    for (let n = 0; n < perSecond; n++) {
      const device = devices[Math.floor(second * perSecond + n) % devices.length] as FleetDevice;
      registry.heard(device);
      tell(registry, device, random);
    }
    await clock.advance(1_000);
  }
  const usedMs = cpuMs() - beforeMs;
  registry.stop();
  report.line(`${Math.round(perSecond)} messages a second`);
  const share = usedMs / 1_000 / telemetrySeconds;
  return absoluteFigure(`telemetry of ${manyDevices} devices`, 'of a core', share, { atMost: 0.5 });
}
