import { appraise, type FleetDevice, type PlacementCandidate, place, type Work } from '@shoal/coordinator';
import type { Instance } from './instance.ts';
import type { Solution, Step } from './optimum.ts';

/** What the product makes of an instance. */
export interface InTurn extends Solution {
  /** Works for which no device was found although one could have taken it. */
  readonly refusedWrongly: number;
}

/** Places the works one after the other, as the coordinator does with what comes in: each on the fleet as those before have left it. */
export function placeInTurn({ fleet, devices, works, context }: Instance): InTurn {
  const { acceleratorsBusy } = fleet;
  const price = (device: FleetDevice, work: Work) => appraise(device, work, { acceleratorsBusy }, context);
  const steps: Step[] = [];
  let refusedWrongly = 0;
  for (const [n, work] of works.entries()) {
    const plan = place(fleet, work, context);
    if (plan.kind === 'unplaced') {
      if (devices.some((device) => price(device, work).length > 0)) refusedWrongly += 1;
      continue;
    }
    const { chosen } = plan.placement;
    const device = devices.find(({ id }) => id === chosen.device) as FleetDevice;
    const choice = keyOf(chosen);
    // As the yardstick counts: with accelerators as busy as they were before any of this.
    const cost = price(device, work).find((candidate) => candidate.choice?.key === choice)?.cost.total ?? Number.NaN;
    device.take({ time: { meanMs: chosen.loadMs + chosen.inferenceMs, varianceMs2: 0 }, energyJ: chosen.energyJ });
    steps.push({ work: n, device: device.id, choice, cost });
  }
  return { served: steps.length, cost: steps.reduce((sum, { cost }) => sum + cost, 0), steps, refusedWrongly };
}

function keyOf({ model, variant }: PlacementCandidate): string | undefined {
  return model === undefined ? undefined : `${model}/${variant}`;
}
