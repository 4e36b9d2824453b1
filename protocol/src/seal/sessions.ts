import { equalBytes } from '../bytes/index.ts';
import type { PeerId } from '../identity/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { Session } from './session.ts';

export interface SessionLimits {
  /** A session that is older, ms, or was used for more frames is to be followed by another. */
  readonly renewAfterMs: number;
  readonly renewAfterFrames: number;
  /** One that is older, ms, or was used for more frames is ended. */
  readonly endAfterMs: number;
  readonly endAfterFrames: number;
  /** Peers with a session; who got theirs first goes first. */
  readonly most: number;
  /** The same of strangers, who cannot push out the others: anybody can make any number of strangers. */
  readonly mostStrangers: number;
}

export const defaultSessionLimits: SessionLimits = {
  renewAfterMs: 3_600_000,
  renewAfterFrames: 2 ** 20,
  endAfterMs: 7_200_000,
  endAfterFrames: 2 ** 21,
  most: 32_768,
  mostStrangers: 1_000,
};

interface Aged {
  readonly session: Session;
  readonly sinceMs: number;
}

/**
 * What one peer can be heard under, and what it is spoken to under. A sender's sequences increase, and once it has changed to a new session it never
 * goes back: so as soon as one frame of the new session was believed, every frame of the old one is refused by its sequence, and the old keys can go.
 */
interface Entry {
  /** Spoken under, and heard. */
  current?: Aged | undefined;
  /** Agreed on, but the peer has not used it: it may never have heard the answer. Heard only. */
  next?: Aged | undefined;
  /** Followed by the current one, which the peer has not used yet. Heard only. */
  previous?: Aged | undefined;
}

/** The sessions with all peers. */
export class Sessions {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #limits: SessionLimits;
  readonly #known = new Map<PeerId, Entry>();
  readonly #strangers = new Map<PeerId, Entry>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, limits: SessionLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Peers with a session, strangers included. */
  get size(): number {
    return this.#known.size + this.#strangers.size;
  }

  /** The peer has this session already: it is spoken to under it from now on. */
  adopt(peer: PeerId, session: Session): void {
    const entry = this.#entryOf(peer) ?? {};
    end(entry.previous);
    entry.previous = entry.current;
    entry.current = { session, sinceMs: this.#clock.monotonicMs() };
    this.#keep(this.#known, peer, entry, this.#limits.most);
  }

  /** The peer will have this session when it hears the answer: it is spoken to under it once it has used it. */
  expect(peer: PeerId, session: Session, known: boolean): void {
    const entry = this.#entryOf(peer) ?? {};
    end(entry.next);
    entry.next = { session, sinceMs: this.#clock.monotonicMs() };
    if (known) this.#keep(this.#known, peer, entry, this.#limits.most);
    else this.#keep(this.#strangers, peer, entry, this.#limits.mostStrangers);
  }

  /** What to speak to the peer under. */
  current(peer: PeerId): Session | undefined {
    const entry = this.#entryOf(peer);
    if (!entry?.current || !this.#isOver(entry.current)) return entry?.current?.session;
    end(entry.current);
    entry.current = undefined;
    return undefined;
  }

  /** It is time to agree on another one, unless that is being done. */
  isDue(peer: PeerId): boolean {
    const current = this.#entryOf(peer)?.current;
    if (!current) return true;
    const { renewAfterMs, renewAfterFrames } = this.#limits;
    return this.#isPast(current, renewAfterMs, renewAfterFrames);
  }

  /** One was agreed on that the peer has not used yet, less than this long ago, ms. */
  expects(peer: PeerId, withinMs: number): boolean {
    const next = this.#entryOf(peer)?.next;
    return next !== undefined && this.#clock.monotonicMs() - next.sinceMs < withinMs;
  }

  /** The session that a frame of this peer names. */
  find(peer: PeerId, id: Uint8Array): Session | undefined {
    const { current, next, previous } = this.#entryOf(peer) ?? {};
    const aged = [current, next, previous].find((one) => one && equalBytes(one.session.id, id));
    return aged && !this.#isOver(aged) ? aged.session : undefined;
  }

  /** A frame of the peer was believed under this session. @returns whether the peer can be spoken to now, and could not before. */
  used(peer: PeerId, session: Session): boolean {
    const entry = this.#entryOf(peer);
    if (!entry || session === entry.previous?.session) return false;
    const couldSpeak = entry.current !== undefined;
    end(entry.previous);
    entry.previous = undefined;
    if (session !== entry.next?.session) return false;
    end(entry.current);
    entry.current = entry.next;
    entry.next = undefined;
    return !couldSpeak;
  }

  /** A stranger has joined: its session is kept with those of the others. */
  admit(peer: PeerId): void {
    const entry = this.#strangers.get(peer);
    if (entry) this.#keep(this.#known, peer, entry, this.#limits.most);
  }

  forget(peer: PeerId): void {
    const entry = this.#entryOf(peer);
    if (entry) this.#drop(peer, entry);
  }

  /** Ends what is too old, though nobody asks for it. */
  sweep(): void {
    for (const [peer, entry] of [...this.#known, ...this.#strangers]) {
      for (const place of ['current', 'next', 'previous'] as const) {
        const aged = entry[place];
        if (!aged || !this.#isOver(aged)) continue;
        end(aged);
        entry[place] = undefined;
      }
      if (!entry.current && !entry.next && !entry.previous) this.#drop(peer, entry);
    }
  }

  end(): void {
    for (const [peer, entry] of [...this.#known, ...this.#strangers]) this.#drop(peer, entry);
  }

  #entryOf(peer: PeerId): Entry | undefined {
    return this.#known.get(peer) ?? this.#strangers.get(peer);
  }

  #keep(shelf: Map<PeerId, Entry>, peer: PeerId, entry: Entry, most: number): void {
    this.#known.delete(peer);
    this.#strangers.delete(peer);
    shelf.set(peer, entry);
    if (shelf.size <= most) return;
    for (const [first, dropped] of shelf) {
      this.#drop(first, dropped);
      return;
    }
  }

  #drop(peer: PeerId, { current, next, previous }: Entry): void {
    for (const aged of [current, next, previous]) end(aged);
    this.#known.delete(peer);
    this.#strangers.delete(peer);
  }

  #isOver(aged: Aged): boolean {
    return this.#isPast(aged, this.#limits.endAfterMs, this.#limits.endAfterFrames);
  }

  #isPast({ session, sinceMs }: Aged, ms: number, frames: number): boolean {
    return session.frames >= frames || this.#clock.monotonicMs() - sinceMs >= ms;
  }
}

function end(aged: Aged | undefined): void {
  aged?.session.end();
}
