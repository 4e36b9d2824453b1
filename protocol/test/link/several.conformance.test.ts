import {
  DeviceLinks,
  FollowingRoute,
  MemoryHub,
  newIdentity,
  SeveralLinks,
  seededRandom,
  silentLogger,
} from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { CountingClock, type LinkWorld, linkConformance } from '@shoal/protocol/testing';
import { describe, it } from 'vitest';

async function twoHubs(): Promise<LinkWorld> {
  const clock = new CountingClock(systemClock);
  const hubs = [0, 1].map(() => new MemoryHub(clock, { inFlightLimit: 50 }));
  const coordinator = newIdentity('coordinator', seededRandom(1));
  const linksOf = (peer: string) => hubs.map((hub) => hub.link(peer));
  return {
    coordinator,
    coordinatorLink: () => new SeveralLinks(linksOf(coordinator.id), new FollowingRoute(hubs.length), clock),
    deviceLink: ({ id }) => new DeviceLinks(linksOf(id), { coordinator: coordinator.id, clock, logger: silentLogger }),
    leftovers: () => clock.pending(),
    close: async () => {},
  };
}

describe('two links as one', () => {
  for (const { name, run } of linkConformance(twoHubs, { middle: false })) it(name, run);
});
