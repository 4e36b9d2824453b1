import { parseTopic } from '@shoal/protocol/mqtt';
import type { Aedes } from 'aedes';

type Hears = (packet: unknown, done: () => void) => void;

/** Of aedes 1.2.0, as far as it is used here: finds out who hears what. */
interface Emitter {
  on(filter: string, hears: Hears, done?: () => void): unknown;
  removeListener(filter: string, hears: Hears, done?: () => void): unknown;
}

/**
 * What is said to a device the coordinator writes to its socket itself, nothing of it goes through the broker. So the broker need not keep who listens for
 * that: of very many devices it takes half a kilobyte each.
 */
export function keepNoDownFilters(aedes: Aedes, prefix: string): void {
  const { mq } = aedes as unknown as { readonly mq: Emitter };
  for (const name of ['on', 'removeListener'] as const) {
    const call = mq[name].bind(mq);
    mq[name] = (filter, hears, done) =>
      parseTopic(prefix, filter)?.kind === 'down' ? done?.() : call(filter, hears, done);
  }
}
