import type { PeerId } from '@shoal/protocol';
import type { Placement, PlacementCandidate, PlacementRefusal } from '../domain/index.ts';
import { appraise } from './appraise.ts';
import type { Finds, Warmth } from './finds.ts';
import type { PlacementContext } from './policy.ts';
import { refusalSummary } from './refusal-summary.ts';
import type { FleetSnapshot, Work } from './snapshot.ts';
import { mostOfSome, Survey } from './survey.ts';

export type Plan =
  | {
      readonly kind: 'placed';
      readonly placement: Placement;
      /** A device that would have been better, had it only had its model in memory: worth telling it to load it. */
      readonly warm?: Warmth;
    }
  | { readonly kind: 'unplaced'; readonly refused: readonly PlacementRefusal[]; readonly reason: string };

/**
 * Decides which device runs the work, and what it runs: the strategy's choice among those that can take it. Pure: the same snapshot, work, time and
 * randomness give the same plan.
 *
 * A device where the work failed before is taken again only when no other one could do it, now or once it is less busy.
 */
export function place(fleet: FleetSnapshot, work: Work, context: PlacementContext): Plan {
  const plan = placeAlone(fleet, work, context);
  return context.assigned === undefined ? plan : onAssigned(plan, context.assigned, fleet, work, context);
}

/** The plan with the device that was decided on for the work together with others, if that can take it now; what it would have got alone beside it. */
function onAssigned(plan: Plan, id: PeerId, fleet: FleetSnapshot, work: Work, context: PlacementContext): Plan {
  if (plan.kind === 'unplaced' || plan.placement.chosen.device === id) return plan;
  const device = fleet.device(id);
  const [candidate] = device ? appraise(device, work, fleet, context) : [];
  if (!candidate) return plan;
  const { placement } = plan;
  const chosen = candidate.shown();
  const isOther = ({ device, model, variant }: PlacementCandidate) =>
    device !== id || model !== chosen.model || variant !== chosen.variant;
  const others = [placement.chosen, ...placement.others].filter(isOther);
  return { ...plan, placement: { ...placement, chosen, together: true, others } };
}

function placeAlone(fleet: FleetSnapshot, work: Work, context: PlacementContext): Plan {
  const some = lookAtSome(fleet, work, context);
  // The few that were looked at do not speak for the others.
  if (some && !some.fresh.isEmpty) {
    const plan = planOf(some, some.fresh, fleet, context);
    if (plan.kind === 'placed') return plan;
  }
  const all = new Survey(fleet, work, context);
  const only = work.device === undefined ? undefined : fleet.device(work.device);
  for (const device of only ? [only] : fleet.all()) all.look(device);
  return planOf(all, all.found, fleet, context);
}

/** Where the fleet knows which of its devices are worth a look; `undefined`: all of them are. */
function lookAtSome(fleet: FleetSnapshot, work: Work, context: PlacementContext): Survey | undefined {
  const survey = new Survey(fleet, work, context, mostOfSome);
  if (context.strategy.leastCost) return fleet.search?.(survey) ? survey : undefined;
  const promising = fleet.promising?.(work);
  if (!promising) return undefined;
  for (const device of promising) survey.look(device);
  return survey;
}

function planOf(
  { work, refused, considered }: Survey,
  finds: Finds,
  fleet: FleetSnapshot,
  context: PlacementContext,
): Plan {
  const [chosen, ...others] = finds.best().map((candidate) => candidate.shown());
  if (!chosen) return { kind: 'unplaced', refused, reason: refusalSummary(refused, considered, fleet, work) };
  const placement = { strategy: context.strategy.name, chosen, others, refused, considered };
  const warm = finds.warm();
  return warm ? { kind: 'placed', placement, warm } : { kind: 'placed', placement };
}
