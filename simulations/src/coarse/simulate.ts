import type { CostWeights } from '@shoal/coordinator';
import type { Fleet } from '../fleet/index.ts';
import { type CamerasOutcome, camerasOutcome } from './cameras-outcome.ts';
import { CoarseWorld } from './coarse-world.ts';
import { type CameraFigures, sumOfFigures } from './fleet-camera.ts';
import { Recorder, type Sample } from './recorder.ts';

export interface Scenario {
  readonly fleet: Fleet;
  readonly strategy: string;
  readonly seed: number;
  readonly hours: number;
  /** Time of the day at which it begins, hours. */
  readonly startHour: number;
  readonly weights?: CostWeights;
}

/** What came of a run. */
export interface Outcome {
  readonly strategy: string;
  readonly seed: number;
  readonly virtualMs: number;
  readonly submitted: number;
  readonly finished: number;
  /** Late, or never begun: a part of what was submitted, 0..1. */
  readonly missed: number;
  readonly latencyMs: { readonly mean: number; readonly p50: number; readonly p95: number; readonly p99: number };
  /** Latencies, sorted, ms: as many as tell the distribution. */
  readonly latenciesMs: readonly number[];
  /** Above idling. */
  readonly joulesPerTask: number;
  /** Mean mAP of what was run, 0..1. */
  readonly accuracy: number;
  /** When the first battery was at its floor, ms; `undefined`: none was. */
  readonly firstAtFloorMs: number | undefined;
  readonly devicesAtFloor: number;
  /** Devices that work took under their floor. */
  readonly pushedUnderFloor: number;
  readonly devices: readonly DeviceOutcome[];
  readonly samples: readonly Sample[];
  /** `undefined`: the fleet has none. */
  readonly cameras?: CamerasOutcome;
  /** Attempts that were lost with their devices; their work was placed anew. */
  readonly lost: number;
  /** Placements that were asked for. */
  readonly placements: number;
}

export interface DeviceOutcome {
  readonly name: string;
  readonly class: string;
  /** Part of its slots' time that it worked, 0..1. */
  readonly busy: number;
  readonly workJ: number;
  readonly levelPct: number | undefined;
}

const hourMs = 3_600_000;
/** A run is looked at so often. */
const looks = 240;
const latenciesKept = 2_000;

/** Runs a fleet from beginning to end. `onProgress` is told how far it is, 0..1. */
export function simulate(
  scenario: Scenario,
  onProgress: (fraction: number, world: CoarseWorld) => void = () => {},
): Outcome {
  const { fleet, strategy, seed, hours, startHour, weights } = scenario;
  const world = new CoarseWorld({ fleet, seed, strategy, startMs: startHour * hourMs, ...(weights && { weights }) });
  const recorder = new Recorder();
  const stepMs = (hours * hourMs) / looks;
  recorder.look(0, world.tally, world.devices, 0, figuresOf(world));
  for (let look = 1; look <= looks; look++) {
    world.run(stepMs);
    recorder.look(world.nowMs, world.tally, world.devices, world.waiting, figuresOf(world));
    onProgress(look / looks, world);
  }
  return outcomeOf(scenario, world, recorder.samples);
}

function figuresOf({ cameras }: CoarseWorld): CameraFigures | undefined {
  return cameras && sumOfFigures(cameras.figures().map(({ figures }) => figures));
}

function outcomeOf({ strategy, seed, startHour }: Scenario, world: CoarseWorld, samples: readonly Sample[]): Outcome {
  const { tally, devices, nowMs } = world;
  const sorted = tally.latenciesMs.toSorted((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const floors = devices.flatMap(({ atFloorMs }) => (atFloorMs === undefined ? [] : [atFloorMs - startHour * hourMs]));
  const every = Math.max(1, Math.floor(sorted.length / latenciesKept));
  return {
    strategy,
    seed,
    virtualMs: nowMs,
    submitted: tally.submitted,
    finished: tally.finished,
    missed: tally.missed,
    latencyMs: {
      mean: sorted.reduce((sum, ms) => sum + ms, 0) / Math.max(1, sorted.length),
      p50: quantile(0.5),
      p95: quantile(0.95),
      p99: quantile(0.99),
    },
    latenciesMs: sorted.filter((_, index) => index % every === 0),
    joulesPerTask: tally.joulesPerTask,
    accuracy: tally.accuracy,
    firstAtFloorMs: floors.length === 0 ? undefined : floors.reduce((least, ms) => Math.min(least, ms)),
    devicesAtFloor: floors.length,
    pushedUnderFloor: devices.filter(({ underFloorMs }) => underFloorMs !== undefined).length,
    devices: devices.map(({ known, group, kind, busyMs, workJ, levelPct }) => ({
      name: known.name,
      class: group.class,
      busy: busyMs / Math.max(1, nowMs) / kind.slots,
      workJ,
      levelPct,
    })),
    samples,
    ...(world.cameras && { cameras: camerasOutcome(world.cameras.figures(), devices) }),
    lost: tally.lost,
    placements: tally.placements,
  };
}
