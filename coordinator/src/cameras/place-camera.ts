import type { PeerId, Random } from '@shoal/protocol';
import type { CameraSpec } from '../domain/index.ts';
import type { ResolvedPipeline } from '../pipelines/index.ts';
import { type FleetSnapshot, type PlacementLimits, type Plan, place } from '../placement/index.ts';

/** Frames are decoded where they are analysed: of the device's time, each takes about this much besides, ms. */
const decodeMsPerFrame = 3;
/** A device is taken to be full at this part of its time. */
const fullLoad = 0.9;

/** What a camera takes of a device: ms of one slot per second, as a part of all slots. */
export function loadOf(runMs: number, targetFps: number, slots: number): number {
  return ((runMs + decodeMsPerFrame) * targetFps) / 1_000 / slots;
}

/**
 * Decides which device a camera runs on: of those that can take it, the one whose expected time per frame, its other cameras counted, is least.
 * A device that would be more than full is taken only when all are: then frames are left out, evenly.
 */
export function placeCamera(
  fleet: FleetSnapshot,
  camera: {
    readonly spec: CameraSpec;
    readonly resolved: ResolvedPipeline;
    readonly declined: ReadonlyMap<PeerId, string>;
  },
  context: { readonly nowMs: number; readonly random: Random; readonly limits: PlacementLimits },
): Plan {
  const { spec, resolved, declined } = camera;
  const model = resolved.model?.name;
  // A task more or less says nothing about the hours to come, so what is running is left out of account.
  const calm = fleet.map((device) => {
    const runMs = resolved.variants
      .map((variant) => device.runMs(model ?? '', variant.name))
      .find((ms) => ms !== undefined);
    const added = runMs === undefined ? 0 : loadOf(runMs, spec.targetFps, device.slots);
    return withoutTasks(device, device.cameraLoad + added);
  });
  const work = {
    ...(model !== undefined && { model }),
    variants: resolved.variants,
    inputBytes: 0,
    labels: spec.labels,
  };
  const chosen = {
    ...work,
    ...(spec.device !== undefined && { device: spec.device }),
    tried: new Set<PeerId>(),
    declined,
  };
  const roomy = calm.filter(({ cameraLoad }) => cameraLoad <= fullLoad);
  const plan = place(roomy, chosen, context);
  return plan.kind === 'placed' || roomy.length === calm.length ? plan : place(calm, chosen, context);
}

/** A device as it would be if only its cameras counted. Their frames come decoded, and loading once is nothing to hours of running. */
function withoutTasks(device: FleetSnapshot[number], cameraLoad: number): FleetSnapshot[number] {
  const { id, presence, draining, labels, onBattery, batteryPct, hasEngine, slots, bytesPerMs } = device;
  return {
    id,
    presence,
    draining,
    labels,
    onBattery,
    batteryPct,
    hasEngine,
    slots,
    bytesPerMs,
    cameraLoad,
    running: 0,
    backlogMs: 0,
    decodeMs: 0,
    pause: undefined,
    runMs: (model, variant) => device.runMs(model, variant),
    loadMs: () => 0,
  };
}
