import type { Random } from '@shoal/protocol';
import type { CameraGroup } from '../fleet/index.ts';
import type { EventQueue } from './event-queue.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Lets one camera of the group come and go: by the time of the day, by chance, or come for good. */
export function startPresence(
  { there }: Pick<CameraGroup, 'there'>,
  events: Pick<EventQueue, 'after'>,
  wallMs: () => number,
  random: Random,
  tell: { readonly comes: () => void; readonly goes: () => void },
): void {
  if (!there) {
    tell.comes();
    return;
  }
  if ('everyMs' in there) {
    const about = (ms: number) => ms * (0.5 + random.next());
    const come = () => {
      tell.comes();
      events.after(about(there.forMs), () => {
        tell.goes();
        events.after(about(there.everyMs - there.forMs), come);
      });
    };
    events.after(there.everyMs * random.next(), come);
    return;
  }
  const { fromMinute, toMinute } = there;
  const untilMs = (minute: number) => (minute * minuteMs - (wallMs() % dayMs) + dayMs) % dayMs || dayMs;
  const come = () => {
    tell.comes();
    events.after(untilMs(toMinute), () => {
      tell.goes();
      events.after(untilMs(fromMinute), come);
    });
  };
  // It is there already when it goes before it would come next.
  if (untilMs(toMinute) < untilMs(fromMinute)) come();
  else events.after(untilMs(fromMinute), come);
}
