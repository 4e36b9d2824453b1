import { asShoalError, ShoalError } from '../../errors/index.ts';
import type { PeerId } from '../../identity/index.ts';
import type { Link, LinkKind, LinkListener, LinkTraits } from '../link.ts';
import { LinkListeners } from '../link-listeners.ts';
import type { Route } from './route.ts';

/**
 * Several links as one. What one of them does not take is sent over the next; a peer can be reached as long as any of them reaches it. A frame leaves over
 * one link only: what got lost with a link that died is asked for again by the messenger, which is told when a peer's links change. Nobody is handled
 * twice and nothing is believed out of order: sequences see to that, whichever link a frame came over.
 */
export class SeveralLinks implements Link {
  readonly kind: LinkKind;
  readonly name = 'links';
  readonly traits: LinkTraits;
  readonly #links: readonly Link[];
  readonly #route: Route;
  readonly #listeners = new LinkListeners();
  /** Bounded by the links: who is not connected is not here. */
  readonly #reachable = new Map<PeerId, Set<number>>();
  #unsubscribe: readonly (() => void)[] = [];

  /** @param links in the order of preference, at least one */
  constructor(links: readonly Link[], route: Route) {
    const [first] = links;
    if (!first) throw new ShoalError('defect', 'there is no link');
    this.kind = first.kind;
    this.#links = links;
    this.#route = route;
    this.traits = {
      maxFrameBytes: Math.min(...links.map(({ traits }) => traits.maxFrameBytes)),
      reliable: links.every(({ traits }) => traits.reliable),
      // Frames on two links overtake each other.
      ordered: links.length === 1 && first.traits.ordered,
      duplex: links.every(({ traits }) => traits.duplex),
    };
  }

  /** Of the links that reach the peer now, in order. */
  kindsTo(peer: PeerId): readonly LinkKind[] {
    const reachable = this.reachable(peer);
    return this.#links.filter((_, link) => reachable.has(link)).map(({ kind }) => kind);
  }

  /** The links that reach the peer now, by their numbers. */
  protected reachable(peer: PeerId): ReadonlySet<number> {
    return this.#reachable.get(peer) ?? nothing;
  }

  /** Starts all of them, or none. */
  async start(signal: AbortSignal): Promise<void> {
    this.#unsubscribe = this.#links.map((link, at) => link.subscribe(this.#listenerOn(at)));
    try {
      for (const link of this.#links) await link.start(signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.stop()));
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe = [];
    this.#reachable.clear();
  }

  async send(to: PeerId, frame: Uint8Array, signal?: AbortSignal, asks = true): Promise<void> {
    const { maxFrameBytes } = this.traits;
    if (frame.length > maxFrameBytes)
      throw new ShoalError('message.too-large', `a frame of ${frame.length} bytes; these links take ${maxFrameBytes}`);
    let refusal: ShoalError | undefined;
    for (const at of this.#route.order(to, this.reachable(to))) {
      try {
        await this.#links[at]?.send(to, frame, signal);
        if (asks) this.#route.asked(to, at);
        return;
      } catch (thrown) {
        signal?.throwIfAborted();
        const error = asShoalError(thrown);
        if (!passedOn.has(error.code)) throw error;
        // What the best link says is told: that the others do not have the peer either is no news.
        refusal ??= error;
      }
    }
    throw refusal;
  }

  advertise(capability: Uint8Array): void {
    for (const link of this.#links) link.advertise?.(capability);
  }

  subscribe(listener: LinkListener): () => void {
    return this.#listeners.add(listener);
  }

  #listenerOn(at: number): LinkListener {
    return {
      onFrame: (frame, from) => {
        this.#route.heard(from, at);
        this.#listeners.frame(frame, from);
      },
      onPeer: (peer, reachable) => this.#peer(peer, at, reachable),
      onAdvert: (peer, capability) => this.#listeners.advert(peer, capability),
    };
  }

  #peer(peer: PeerId, at: number, isReachable: boolean): void {
    const reachable = this.#reachable.get(peer) ?? new Set();
    if (isReachable) this.#reachable.set(peer, reachable.add(at));
    else reachable.delete(at);
    if (reachable.size === 0) this.#reachable.delete(peer);
    this.#route.changed(peer, at, isReachable);
    // Also when another one is left: what was on its way over the lost one is asked for again at once.
    this.#listeners.peer(peer, reachable.size > 0);
  }
}

const nothing: ReadonlySet<number> = new Set();
/** What the next link may be able to take. */
const passedOn: ReadonlySet<string> = new Set(['net.unreachable', 'queue.full']);
