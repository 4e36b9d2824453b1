import type { CameraGroup } from '../fleet/index.ts';
import type { CoarseDevice } from './coarse-device.ts';
import { type CameraFigures, sumOfFigures } from './fleet-camera.ts';
import { type CameraSample, partsOf } from './recorder.ts';

/** What came of the cameras of a run. */
export interface CamerasOutcome extends CamerasFound {
  /** What they drew, above idling. */
  readonly energyJ: number;
  /** The same for each group of the fleet file, in its order. */
  readonly groups: readonly (CamerasFound & { readonly name: string })[];
}

export interface CamerasFound extends CameraSample {
  readonly count: number;
  /** From one device to another. */
  readonly moves: number;
  /** Times that nobody watched one though somebody had before, ms. */
  readonly gaps: { readonly count: number; readonly longestMs: number };
}

export function camerasOutcome(
  cameras: readonly { readonly group: CameraGroup; readonly figures: CameraFigures }[],
  devices: readonly CoarseDevice[],
): CamerasOutcome {
  const byGroup = new Map<CameraGroup, CameraFigures[]>();
  for (const { group, figures } of cameras) {
    const all = byGroup.get(group);
    if (all) all.push(figures);
    else byGroup.set(group, [figures]);
  }
  return {
    ...foundOf(cameras.map(({ figures }) => figures)),
    energyJ: devices.reduce((sum, { cameraJ }) => sum + cameraJ, 0),
    groups: Array.from(byGroup, ([{ name }, all]) => ({ name, ...foundOf(all) })),
  };
}

function foundOf(all: readonly CameraFigures[]): CamerasFound {
  const sum = sumOfFigures(all);
  const longestMs = sum.gapsMs.reduce((longest, ms) => Math.max(longest, ms), 0);
  return { count: all.length, ...partsOf(sum), moves: sum.moves, gaps: { count: sum.gapsMs.length, longestMs } };
}
