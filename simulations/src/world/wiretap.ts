import {
  Body,
  Envelope,
  type Link,
  type MemoryHub,
  type PeerId,
  payloadOf,
  readBodyHeader,
  ShoalError,
} from '@shoal/protocol';
import type { Dice } from './dice.ts';

interface Overheard {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly frame: Uint8Array;
}

/** What is done with a frame that was overheard. */
const tricks: readonly ((heard: Overheard, dice: Dice, peers: readonly PeerId[]) => Overheard)[] = [
  (heard) => heard,
  (heard, dice) => ({ ...heard, frame: withOneBitFlipped(heard.frame, dice) }),
  (heard, dice) => ({ ...heard, frame: heard.frame.subarray(0, dice.next() * heard.frame.length) }),
  (heard, dice, peers) => ({ ...heard, to: dice.pick(peers) }),
  (heard, dice, peers) => ({ ...heard, from: dice.pick(peers) }),
];

/** Frames that are kept of all that were heard; every one has the same chance. */
const kept = 64;

/** Somebody on the wire: hears every frame, and says old ones again, as they were, damaged, cut short, to others or in another's name. */
export class Wiretap {
  readonly #hub: MemoryHub;
  readonly #dice: Dice;
  readonly #overheard: Overheard[] = [];
  /** The last sequence, by sender and recipient. */
  readonly #sequences = new Map<string, number>();
  #heard = 0;
  /** Sequences that were used twice: what a replay is known by. */
  readonly reused: string[] = [];
  /** Whether anybody is on the wire. To look into every frame costs time, which worlds that are only there to be large do without. */
  listens = false;
  /** Kinds of messages that anybody on the wire could read. */
  readonly readable = new Set<string>();
  /** Whether anything was said that could not be read. */
  heardSealed = false;
  /** Attempts that a device has answered for, and whether it ever took them; of those that were said openly. */
  readonly admissions = new Map<string, boolean>();

  constructor(hub: MemoryHub, dice: Dice) {
    this.#hub = hub;
    this.#dice = dice;
  }

  /** The link of a process, overheard. */
  on(link: Link, from: PeerId): Link {
    const hear = (to: PeerId, frame: Uint8Array) => {
      if (this.listens) this.#hear({ from, to, frame });
    };
    return {
      name: link.name,
      kind: link.kind,
      traits: link.traits,
      start: (signal) => link.start(signal),
      stop: () => link.stop(),
      subscribe: (listener) => link.subscribe(listener),
      async send(to, frame, signal) {
        await link.send(to, frame, signal);
        hear(to, frame);
      },
    };
  }

  /** Says one old frame again, in one way or another. */
  meddle(peers: readonly PeerId[], dice: Dice): void {
    if (this.#overheard.length === 0) return;
    const { from, to, frame } = dice.pick(tricks)(dice.pick(this.#overheard), dice, peers);
    try {
      this.#hub.carry(from, to, frame);
    } catch (error) {
      if (!(error instanceof ShoalError)) throw error;
    }
  }

  #hear(heard: Overheard): void {
    this.#heard += 1;
    const { body } = Envelope.decode(heard.frame);
    this.#checkSequence(heard, body);
    this.#read(body);
    const place = this.#overheard.length < kept ? this.#overheard.length : Math.floor(this.#dice.next() * this.#heard);
    // A sender may use its buffer again.
    if (place < kept) this.#overheard[place] = { ...heard, frame: new Uint8Array(heard.frame) };
  }

  /** What was said for the first time, by whose name it carries: who meddles says it through the hub. */
  #read(body: Uint8Array): void {
    const { messages, seal } = Body.decode(body);
    if (seal) this.heardSealed = true;
    for (const message of messages) {
      const payload = payloadOf(message);
      this.readable.add(payload?.kind ?? 'unknown');
      if (payload?.kind !== 'taskAdmission') continue;
      const { attemptId, accepted } = payload.value;
      this.admissions.set(attemptId, accepted || this.admissions.get(attemptId) === true);
    }
  }

  #checkSequence({ from, to }: Overheard, body: Uint8Array): void {
    const { sequence } = readBodyHeader(body);
    const pair = `${from} to ${to}`;
    if (sequence <= (this.#sequences.get(pair) ?? 0)) this.reused.push(`${from} used sequence ${sequence} again`);
    this.#sequences.set(pair, sequence);
  }
}

function withOneBitFlipped(frame: Uint8Array, dice: Dice): Uint8Array {
  const copy = Uint8Array.from(frame);
  const place = Math.floor(dice.next() * copy.length);
  copy[place] = (copy[place] ?? 0) ^ (1 << Math.floor(dice.next() * 8));
  return copy;
}
