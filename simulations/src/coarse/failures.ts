import type { Random } from '@shoal/protocol';
import type { CoarseDevice } from './coarse-device.ts';
import type { EventQueue } from './event-queue.ts';

/** Lets devices crash and come back, those of groups that fail: each for itself, by chance. */
export function startFailures(
  devices: readonly CoarseDevice[],
  events: Pick<EventQueue, 'after'>,
  random: Random,
  tell: { readonly failed: (device: CoarseDevice) => void; readonly returned: (device: CoarseDevice) => void },
): void {
  for (const device of devices) {
    const { fails } = device.group;
    if (!fails) continue;
    const about = (ms: number) => ms * (0.5 + random.next());
    const fail = () => {
      tell.failed(device);
      events.after(about(fails.forMs), () => {
        tell.returned(device);
        events.after(about(fails.everyMs - fails.forMs), fail);
      });
    };
    events.after(fails.everyMs * random.next(), fail);
  }
}
