import { type AgentStore, MemoryAgentStore, WorkPlaces } from '@shoal/agent';
import { MemoryDisk } from '@shoal/coordinator';
import type { Clock } from '@shoal/protocol';
import type { WorldParts } from '@shoal/simulations';

interface Planted {
  /** A world of parts that lie. */
  readonly parts: () => WorldParts;
  /** The promise that is broken by it. */
  readonly shows: RegExp;
}

/** Defects, each planted in a part that lies, and by which broken promise they give themselves away. */
export const planted = {
  'tasks are said to be durable and are not': {
    parts: () => ({ disk: new ForgetfulOfTasks() }),
    shows: /is not known any more/,
  },
  'the coordinator forgets which sequences it has used': {
    parts: () => ({ disk: new ForgetfulOfSequences() }),
    shows: /used sequence \d+ again/,
  },
  'a device forgets which sequences it has used': {
    parts: () => ({ agentStore: () => ({ ...parts(new MemoryAgentStore()), sequences: forgetfulSequences() }) }),
    shows: /used sequence \d+ again/,
  },
  'nobody looks whether a lease has run out': {
    parts: () => ({ coordinatorClock: (clock) => without(clock, 'tasks: leases') }),
    shows: /was open for/,
  },
  'nobody looks whether a deadline has passed': {
    parts: () => ({ coordinatorClock: (clock) => without(clock, 'tasks: deadlines') }),
    shows: /is still (queued|running)/,
  },
  'the outbox of a device is not durable': {
    parts: () => ({ agentStore: () => ({ ...parts(new MemoryAgentStore()), outbox: forgetfulOutbox() }) }),
    shows: /was durable on .* and was lost/,
  },
  'reports that come twice are kept twice': { parts: () => ({ disk: new KeepsTwice() }), shows: /has two results/ },
  'a device takes more than it has places for': {
    parts: () => ({ workPlaces: (count) => new EndlessPlaces(count) }),
    shows: /tasks wait on/,
  },
  'more tasks run on a device than it says': {
    parts: () => ({ workPlaces: (count) => new WorkPlaces(count + 2) }),
    shows: /tasks run on/,
  },
  'a battery always says that it is full': {
    parts: () => ({
      reading: (condition) => (condition.batteryPct === undefined ? condition : { ...condition, batteryPct: 95 }),
    }),
    shows: /is on a battery below its floor|works though its battery is at/,
  },
} satisfies Record<string, Planted>;

type Writes = Parameters<MemoryDisk['apply']>[0];

/** Forgets new tasks that it was told to keep, as a disk does that acknowledges before it writes. */
class ForgetfulOfTasks extends MemoryDisk {
  override apply(writes: Writes): void {
    super.apply(writes.filter((write) => !(write.kind === 'task' && write.task.endedAtMs === undefined)));
  }
}

class ForgetfulOfSequences extends MemoryDisk {
  override apply(writes: Writes): void {
    super.apply(writes.filter(({ kind }) => kind !== 'sequences-reserved'));
  }
}

class KeepsTwice extends MemoryDisk {
  override apply(writes: Writes): void {
    super.apply(writes);
    for (const write of writes) if (write.kind === 'result') this.results.set(write.result.id, write.result);
  }
  override hasReport(): boolean {
    return false;
  }
}

/** A clock on which one kind of timer never goes off. */
function without(clock: Clock, name: string): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (timer, delayMs, callback) => (timer === name ? () => {} : clock.after(timer, delayMs, callback)),
    soon: (timer, callback) => clock.soon(timer, callback),
  };
}

/** The parts of a store, to put some of them in another's place. */
function parts({ sequences, membership, outbox, profiles, cameras }: AgentStore): AgentStore {
  return { sequences, membership, outbox, profiles, cameras, close: async () => {} };
}

function forgetfulSequences(): AgentStore['sequences'] {
  return { reserve: async () => 1, lastReceived: () => 0, recordReceived: () => {} };
}

function forgetfulOutbox(): AgentStore['outbox'] {
  return {
    totals: () => ({ count: 0, sizeBytes: 0 }),
    lastId: () => 0,
    append: async () => {},
    read: async () => [],
    remove: async () => {},
    shedPayloads: async () => ({ reports: 0, sizeBytes: 0 }),
  };
}

/** Says that nobody waits, whoever does. */
export class EndlessPlaces extends WorkPlaces {
  override get queued(): number {
    return 0;
  }
}
