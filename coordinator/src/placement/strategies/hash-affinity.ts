import { sha256 } from '@shoal/protocol';
import type { Strategy } from '../strategy.ts';
import { devicesOf, least, only } from './by-device.ts';

export const hashAffinity: Strategy = {
  name: 'hash-affinity',
  summary:
    'the same camera always to the same device, for caches and state that stay where they are; tasks go anywhere',
  because: 'the same work always goes to the same device',
  scores(candidates, { work, random }) {
    const key = work.affinity ?? String(random.next());
    // Rendezvous hashing: when a device leaves, only its own work moves.
    return only(
      least(devicesOf(candidates), ({ id }) => draw(`${key} ${id}`)),
      candidates,
    );
  },
};

function draw(text: string): number {
  return Buffer.from(sha256(text)).readUInt32BE(0);
}
