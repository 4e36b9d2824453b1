import { parseTopic } from '@shoal/protocol/mqtt';
import type { Aedes } from 'aedes';

type Hears = (packet: unknown, done: () => void) => void;

/** Of the inside of aedes 1.2.0, as far as it is used here. */
interface Inside {
  /** Finds out who hears what. */
  readonly mq: Record<'on' | 'removeListener', (filter: string, hears: Hears, done?: () => void) => unknown>;
  /** Looks through all that is retained. */
  readonly persistence: { createRetainedStreamCombi(filters: readonly string[]): Pipe };
}

interface Pipe {
  pipe<To>(to: To): To;
}

const nothing: Pipe = { pipe: (to) => to };

/**
 * What is said to a device the coordinator writes to its socket itself: nothing of it goes through the broker, or is retained. So the broker need not keep
 * who listens for that, half a kilobyte for each of very many devices, nor look for it in what it retains, which is something for each of them.
 */
export function keepNoDownFilters(aedes: Aedes, prefix: string): void {
  const { mq, persistence } = aedes as unknown as Inside;
  const isDown = (filter: string) => parseTopic(prefix, filter)?.kind === 'down';
  for (const name of ['on', 'removeListener'] as const) {
    const call = mq[name].bind(mq);
    mq[name] = (filter, hears, done) => (isDown(filter) ? done?.() : call(filter, hears, done));
  }
  const retained = persistence.createRetainedStreamCombi.bind(persistence);
  persistence.createRetainedStreamCombi = (filters) => (filters.every(isDown) ? nothing : retained(filters));
}
