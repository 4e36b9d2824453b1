import type { PeerId } from '@shoal/protocol';
import type { CameraSpec } from '../domain/index.ts';
import type { ResolvedPipeline } from '../pipelines/index.ts';
import {
  type CameraShare,
  type FleetSnapshot,
  type Footage,
  nearlyAll,
  type PlacementContext,
  type Plan,
  place,
  type Stream,
  type Work,
} from '../placement/index.ts';

/** A camera that looks for a device. */
export interface Seeker {
  readonly id: string;
  readonly spec: CameraSpec;
  readonly resolved: ResolvedPipeline;
  readonly footage: Footage;
  readonly declined: ReadonlyMap<PeerId, string>;
  readonly left: ReadonlyMap<PeerId, string>;
  /** Where it runs now. */
  readonly current?: Stream['current'];
  /** What others would give up for it; asked when it cannot be had without. */
  readonly yields: () => ReadonlyMap<PeerId, CameraShare>;
}

/**
 * Decides which device a camera runs on, with which file of its model and how it is decoded. Others give way for it only when it gets more by that than
 * anywhere without.
 */
export function placeCamera(fleet: FleetSnapshot, seeker: Seeker, context: PlacementContext): Plan {
  const work = workFor(seeker);
  const free = place(fleet, work, context);
  if (isWhole(free, seeker)) return free;
  const yields = seeker.yields();
  if (yields.size === 0 || !work.stream) return free;
  const cleared = place(fleet, { ...work, stream: { ...work.stream, yields } }, context);
  return gains(cleared, free) ? cleared : free;
}

function workFor({ id, spec, resolved, footage, declined, left, current }: Seeker): Work {
  return {
    choices: resolved.choices,
    inputBytes: 0,
    labels: spec.labels,
    ...(spec.device !== undefined && { device: spec.device }),
    ...(spec.p95Ms !== undefined && { timeLeftMs: spec.p95Ms }),
    stream: { fps: spec.targetFps, footage, left, ...(current && { current }) },
    affinity: id,
    tried: new Set(),
    declined,
  };
}

/** Nothing is left to wish for: all that is asked for, as far as the source has it, and decoded as well as can be. */
export function isWhole(plan: Plan, { spec, footage }: Pick<Seeker, 'spec' | 'footage'>): boolean {
  if (plan.kind === 'unplaced') return false;
  const { decode, fps = 0 } = plan.placement.chosen;
  return decode === 'full' && fps >= nearlyAll * Math.min(spec.targetFps, footage.seenFps.full ?? footage.fps);
}

function gains(cleared: Plan, free: Plan): boolean {
  if (cleared.kind === 'unplaced') return false;
  if (free.kind === 'unplaced') return true;
  const [more, less] = [cleared.placement.chosen, free.placement.chosen];
  const gained = (more.fps ?? 0) - (less.fps ?? 0);
  return gained > 0 || (gained === 0 && more.decode === 'full' && less.decode !== 'full');
}
