import type { PeerId, Random } from '@shoal/protocol';
import type { CameraSpec } from '../domain/index.ts';
import type { ResolvedPipeline } from '../pipelines/index.ts';
import { type FleetSnapshot, type PlacementPolicy, type Plan, place, type Stream } from '../placement/index.ts';

/** Decides which device a camera runs on, and with which file of its model. */
export function placeCamera(
  fleet: FleetSnapshot,
  camera: {
    readonly id: string;
    readonly spec: CameraSpec;
    readonly resolved: ResolvedPipeline;
    readonly declined: ReadonlyMap<PeerId, string>;
    /** Where it runs now, when it may be moved. */
    readonly current?: Stream['current'];
  },
  context: PlacementPolicy & { readonly nowMs: number; readonly wallMs: number; readonly random: Random },
): Plan {
  const { id, spec, resolved, declined, current } = camera;
  return place(
    fleet,
    {
      choices: resolved.choices,
      inputBytes: 0,
      labels: spec.labels,
      ...(spec.device !== undefined && { device: spec.device }),
      stream: { fps: spec.targetFps, ...(current && { current }) },
      affinity: id,
      tried: new Set(),
      declined,
    },
    { ...context, ...(current && { current: current.device }) },
  );
}
