import type { Outcome } from '../coarse/index.ts';

const hourMs = 3_600_000;

/** One outcome as people read it, title by title. */
export function rowsOf(outcome: Outcome): Record<string, string> {
  const { strategy, finished, missed, latencyMs, joulesPerTask, accuracy, firstAtFloorMs, pushedUnderFloor, cameras } =
    outcome;
  return {
    strategy,
    done: finished.toLocaleString('en'),
    missed: `${(100 * missed).toFixed(2)} %`,
    'mean ms': latencyMs.mean.toFixed(1),
    'p95 ms': latencyMs.p95.toFixed(1),
    'J each': joulesPerTask.toFixed(4),
    mAP: accuracy.toFixed(3),
    'first battery at its floor': firstAtFloorMs === undefined ? 'none' : `${(firstAtFloorMs / hourMs).toFixed(2)} h`,
    'pushed under it': String(pushedUnderFloor),
    ...(cameras && cameraColumns(cameras)),
  };
}

function cameraColumns({ watched, analysed, moves, gaps }: NonNullable<Outcome['cameras']>): Record<string, string> {
  return {
    watched: `${(100 * watched).toFixed(2)} %`,
    frames: `${(100 * analysed).toFixed(1)} %`,
    moves: String(moves),
    'longest gap': `${(gaps.longestMs / 1_000).toFixed(1)} s`,
  };
}
