import { MemoryHub, newIdentity, seededRandom } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { CountingClock, type LinkWorld, linkConformance } from '@shoal/protocol/testing';
import { describe, it } from 'vitest';

async function memoryWorld(): Promise<LinkWorld> {
  const clock = new CountingClock(systemClock);
  const hub = new MemoryHub(clock, { inFlightLimit: 100 });
  const coordinator = newIdentity('coordinator', seededRandom(1));
  return {
    coordinator,
    coordinatorLink: () => hub.link(coordinator.id),
    deviceLink: (device) => hub.link(device.id),
    leftovers: () => clock.pending(),
    close: async () => {},
  };
}

describe('the memory link', () => {
  for (const { name, run } of linkConformance(memoryWorld, { middle: false })) it(name, run);
});
