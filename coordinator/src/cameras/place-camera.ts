import type { PeerId, Random } from '@shoal/protocol';
import type { CameraSpec } from '../domain/index.ts';
import type { ResolvedPipeline } from '../pipelines/index.ts';
import { type FleetSnapshot, type PlacementPolicy, type Plan, place } from '../placement/index.ts';

/** Decides which device a camera runs on, and with which file of its model. */
export function placeCamera(
  fleet: FleetSnapshot,
  camera: {
    readonly id: string;
    readonly spec: CameraSpec;
    readonly resolved: ResolvedPipeline;
    readonly declined: ReadonlyMap<PeerId, string>;
  },
  context: PlacementPolicy & { readonly nowMs: number; readonly wallMs: number; readonly random: Random },
): Plan {
  const { id, spec, resolved, declined } = camera;
  return place(
    fleet,
    {
      choices: resolved.choices,
      inputBytes: 0,
      labels: spec.labels,
      ...(spec.device !== undefined && { device: spec.device }),
      stream: { fps: spec.targetFps },
      affinity: id,
      tried: new Set(),
      declined,
    },
    context,
  );
}
