import {
  appraise,
  assignTogether,
  type FleetDevice,
  type PlacementCandidate,
  place,
  shareOf,
  strategyNamed,
  type Work,
} from '@shoal/coordinator';
import type { Instance } from './instance.ts';
import type { Solution, Step } from './optimum.ts';

/** What the product makes of an instance. */
export interface InTurn extends Solution {
  /** Works for which no device was found although one could have taken it. */
  readonly refusedWrongly: number;
}

/** Places the works one after the other, as the coordinator does with what comes in: each on the fleet as those before have left it. */
export function placeInTurn(instance: Instance): InTurn {
  return placeEach(
    instance,
    instance.works.map((_, work) => ({ work, device: undefined })),
  );
}

/** Places the works as the coordinator does with what waits at the same moment, by a strategy that decides on it together. */
export function placeTogether(instance: Instance): InTurn {
  const { fleet, works } = instance;
  const context = { ...instance.context, strategy: strategyNamed('min-cost-flow') };
  const assigned = assignTogether(fleet, works, context);
  const named = new Set(assigned.map(({ work }) => work));
  const left = [...works.keys()].filter((work) => !named.has(work));
  return placeEach({ ...instance, context }, [...assigned, ...left.map((work) => ({ work, device: undefined }))]);
}

function placeEach(
  { fleet, devices, works, context }: Instance,
  order: readonly { readonly work: number; readonly device: string | undefined }[],
): InTurn {
  const { acceleratorsBusy } = fleet;
  const price = (device: FleetDevice, work: Work) => appraise(device, work, { acceleratorsBusy }, context);
  const steps: Step[] = [];
  let refusedWrongly = 0;
  for (const { work: n, device: assigned } of order) {
    const work = works[n] as Work;
    const plan = place(fleet, work, assigned === undefined ? context : { ...context, assigned });
    if (plan.kind === 'unplaced') {
      if (devices.some((device) => price(device, work).length > 0)) refusedWrongly += 1;
      continue;
    }
    const { chosen } = plan.placement;
    const device = devices.find(({ id }) => id === chosen.device) as FleetDevice;
    const choice = keyOf(chosen);
    // As the yardstick counts: with accelerators as busy as they were before any of this.
    const cost = price(device, work).find((candidate) => candidate.choice?.key === choice)?.cost.total ?? Number.NaN;
    device.take(shareOf(chosen, context.nowMs));
    steps.push({ work: n, device: device.id, choice, cost });
  }
  return { served: steps.length, cost: steps.reduce((sum, { cost }) => sum + cost, 0), steps, refusedWrongly };
}

function keyOf({ model, variant }: PlacementCandidate): string | undefined {
  return model === undefined ? undefined : `${model}/${variant}`;
}
