import { type CostWeights, defaultCostWeights, type PlacementLimits } from './placement/index.ts';
import type { Retention } from './store/index.ts';

/** Everything about a coordinator that an operator may want otherwise. Where its data lies and how devices reach it is `ports.ts`. */
export interface CoordinatorConfig {
  /** How often devices report, ms. */
  readonly telemetryIntervalMs: number;
  /** Silence after which a device is given up for lost, ms. Several times the interval. */
  readonly livenessTimeoutMs: number;
  /**
   * `required`: nothing is said to a device, and believed of it, that is not sealed. `offered`: devices that join are told to seal; others are spoken to
   * openly. `off`: they are not told; one that was told before goes on sealing.
   */
  readonly seal: 'required' | 'offered' | 'off';
  /** Devices that may join. */
  readonly deviceLimit: number;
  /** Tasks that have not ended, at most: more are refused with `queue.full`. */
  readonly liveTaskLimit: number;
  /** Attempts that one device holds at most. */
  readonly attemptsPerDevice: number;
  readonly cameraLimit: number;
  /** Largest input, bytes. */
  readonly blobLimitBytes: number;
  /** Inputs up to this size go to the device along with the task, bytes. */
  readonly inlineInputBytes: number;
  /** An attempt is given up after this long even when its device is alive, ms; longer when it was expected to take longer. */
  readonly leaseMs: number;
  /** How a device is chosen: the name of a strategy, `cost` unless there is a reason. */
  readonly strategy: string;
  readonly costWeights: CostWeights;
  /** Work never takes a battery below this charge, 0..100; critical work below the second. A device may have a floor of its own. */
  readonly batteryFloorPct: number;
  readonly criticalFloorPct: number;
  /** So much above its floor a battery is taken to be at it: levels are reported in whole percents, and some seconds old. */
  readonly batteryMarginPct: number;
  readonly retention: Retention;
  /** Blobs that no live task needs are kept for this long after their last use, ms. */
  readonly unusedBlobAgeMs: number;
}

const dayMs = 86_400_000;

export const defaultCoordinatorConfig: CoordinatorConfig = {
  telemetryIntervalMs: 2_000,
  livenessTimeoutMs: 10_000,
  seal: 'off',
  deviceLimit: 10_000,
  liveTaskLimit: 50_000,
  attemptsPerDevice: 512,
  cameraLimit: 5_000,
  blobLimitBytes: 256 << 20,
  inlineInputBytes: 512 << 10,
  leaseMs: 60_000,
  strategy: 'cost',
  costWeights: defaultCostWeights,
  batteryFloorPct: 30,
  criticalFloorPct: 15,
  batteryMarginPct: 1,
  retention: {
    endedTasks: 100_000,
    endedTaskAgeMs: 30 * dayMs,
    cameraResults: 1_000_000,
    cameraResultAgeMs: 30 * dayMs,
    events: 200_000,
    eventAgeMs: 90 * dayMs,
  },
  unusedBlobAgeMs: dayMs,
};

/** What of it bounds every placement. */
export function placementLimitsOf(config: PlacementLimits): PlacementLimits {
  const { batteryFloorPct, criticalFloorPct, batteryMarginPct, attemptsPerDevice } = config;
  return { batteryFloorPct, criticalFloorPct, batteryMarginPct, attemptsPerDevice };
}
