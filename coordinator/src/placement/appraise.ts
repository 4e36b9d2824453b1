import type { Candidate } from './candidate.ts';
import type { PlacementContext } from './policy.ts';
import type { DeviceSnapshot, FleetSnapshot, Work } from './snapshot.ts';
import { cost } from './strategies/cost.ts';
import { Survey } from './survey.ts';

/** Every way in which the device can do the work, the least cost first; none when it cannot, or has tried in vain. */
export function appraise(
  device: DeviceSnapshot,
  work: Work,
  fleet: Pick<FleetSnapshot, 'acceleratorsBusy'>,
  context: PlacementContext,
): readonly Candidate[] {
  const survey = new Survey(fleet, work, { ...context, strategy: cost });
  survey.look(device);
  return survey.fresh.best();
}
