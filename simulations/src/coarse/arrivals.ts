import type { Choice } from '@shoal/coordinator';
import { type ObjectCount, objectCounts } from '@shoal/models/manifest';
import type { Random } from '@shoal/protocol';
import type { Workload } from '../fleet/index.ts';
import type { EventQueue } from './event-queue.ts';
import { choicesFor } from './variants.ts';

/** One picture that came in. */
export interface Arrival {
  readonly workload: Workload;
  /** How many things are on it. */
  readonly objects: ObjectCount;
  readonly arrivedMs: number;
  readonly dueMs: number | undefined;
  readonly choices: readonly Choice[];
}

/** Lets pictures come in for as long as the events go on: by chance at their rates, and in bursts. */
export function startArrivals(
  workloads: readonly Workload[],
  events: Pick<EventQueue, 'nowMs' | 'after'>,
  random: Random,
  arrive: (arrival: Arrival) => void,
): void {
  for (const workload of workloads) {
    const { perSecond, burst } = workload;
    const pauseMs = () => (-Math.log(1 - random.next()) * 1_000) / perSecond;
    const next = () => {
      arrive(arrivalOf(workload, events.nowMs, random));
      events.after(pauseMs(), next);
    };
    if (perSecond > 0) events.after(pauseMs(), next);
    if (!burst) continue;
    const storm = () => {
      for (let i = 0; i < burst.count; i++) arrive(arrivalOf(workload, events.nowMs, random));
      events.after(burst.everyMs * (0.5 + random.next()), storm);
    };
    events.after(burst.everyMs * random.next(), storm);
  }
}

function arrivalOf(workload: Workload, nowMs: number, random: Random): Arrival {
  const { deadlineMs, accuracyLoss } = workload;
  const objects = drawn(workload.objects, random);
  return {
    workload,
    objects,
    arrivedMs: nowMs,
    dueMs: deadlineMs === undefined ? undefined : nowMs + deadlineMs,
    choices: choicesFor(objects, accuracyLoss),
  };
}

function drawn(shares: Workload['objects'], random: Random): ObjectCount {
  let left = random.next();
  for (const group of objectCounts) {
    left -= shares[group];
    if (left < 0) return group;
  }
  return 'many';
}
