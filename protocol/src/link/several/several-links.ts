import { asShoalError, ShoalError } from '../../errors/index.ts';
import type { PeerId } from '../../identity/index.ts';
import type { Clock } from '../../runtime/index.ts';
import type { Link, LinkKind, LinkListener, LinkTraits } from '../link.ts';
import { LinkListeners } from '../link-listeners.ts';
import type { Route } from './route.ts';

/**
 * Several links as one. What one of them does not take is sent over the next; a peer can be reached as long as any of them reaches it. A frame is not sent
 * twice for safety: what got lost with a link that died is asked for again by the messenger, which is told when a peer's links change. Nothing is handled
 * twice or believed out of order: sequences see to that, whichever link a frame came over.
 */
export class SeveralLinks implements Link {
  readonly kind: LinkKind;
  readonly name = 'links';
  readonly traits: LinkTraits;
  readonly #links: readonly Link[];
  readonly #route: Route;
  readonly #clock: Clock;
  readonly #onUnstarted: ((link: Link, error: ShoalError) => void) | undefined;
  readonly #listeners = new LinkListeners();
  /** A bit for each link; bounded by the links: who is not connected is not here. */
  readonly #reachable = new Map<PeerId, number>();
  /** By the bits, each made once: the peers are very many. */
  readonly #sets = new Map<number, ReadonlySet<number>>();
  /** Frames that a link was given and has not taken yet, by peer; bounded by what links take. */
  readonly #pending = new Map<PeerId, Set<{ readonly at: number; move(): void }>>();
  #unsubscribe: readonly (() => void)[] = [];

  /**
   * @param links in the order of preference, at least one
   * @param onUnstarted told of a link that cannot be started; the others do without it. Left out: all are needed
   */
  constructor(
    links: readonly Link[],
    route: Route,
    clock: Clock,
    onUnstarted?: (link: Link, error: ShoalError) => void,
  ) {
    const [first] = links;
    if (!first) throw new ShoalError('defect', 'there is no link');
    this.kind = first.kind;
    this.#links = links;
    this.#route = route;
    this.#clock = clock;
    this.#onUnstarted = onUnstarted;
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
    const bits = this.#reachable.get(peer);
    if (bits === undefined) return nothing;
    let set = this.#sets.get(bits);
    if (!set) {
      set = new Set(this.#links.flatMap((_, at) => ((bits & (1 << at)) === 0 ? [] : [at])));
      this.#sets.set(bits, set);
    }
    return set;
  }

  /** @throws what a link that is needed throws, when none of them runs any more */
  async start(signal: AbortSignal): Promise<void> {
    this.#unsubscribe = this.#links.map((link, at) => link.subscribe(this.#listenerOn(at)));
    let started = 0;
    let failure: unknown;
    for (const link of this.#links) {
      try {
        await link.start(signal);
        started += 1;
      } catch (error) {
        failure ??= error;
        if (signal.aborted || !this.#onUnstarted) break;
        this.#onUnstarted(link, asShoalError(error));
      }
    }
    if (failure === undefined || (started > 0 && this.#onUnstarted && !signal.aborted)) return;
    await this.stop().catch(() => {});
    throw failure;
  }

  async stop(): Promise<void> {
    const ended = await Promise.allSettled(this.#links.map((link) => link.stop()));
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe = [];
    this.#reachable.clear();
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
  }

  async send(to: PeerId, frame: Uint8Array, signal?: AbortSignal, asks = true): Promise<void> {
    const { maxFrameBytes } = this.traits;
    if (frame.length > maxFrameBytes)
      throw new ShoalError('message.too-large', `a frame of ${frame.length} bytes; these links take ${maxFrameBytes}`);
    const order = this.#route.order(to, this.reachable(to));
    let refusal: ShoalError | undefined;
    for (const [tried, at] of order.entries()) {
      // An answer may come before the link says that it took the question.
      if (asks) this.#route.asked(to, at);
      try {
        const sent = this.#link(at).send(to, frame, signal, asks);
        await (this.#hasOthers(to, order.slice(tried + 1)) ? this.#untilMoved(sent, to, at) : sent);
        return;
      } catch (thrown) {
        if (asks) this.#route.refused(to, at);
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

  #hasOthers(to: PeerId, others: readonly number[]): boolean {
    return others.some((at) => this.reachable(to).has(at));
  }

  /**
   * What a link took; rejects with `net.unreachable` when it takes nothing for a while, or the peer speaks over another one meanwhile. Its frame may still
   * arrive: then it is the older one of two, and refused.
   */
  #untilMoved(sent: Promise<void>, to: PeerId, at: number): Promise<void> {
    const pending = this.#pending.get(to) ?? new Set();
    this.#pending.set(to, pending);
    return new Promise((resolve, reject) => {
      const end = () => {
        cancel();
        pending.delete(waiting);
        if (pending.size === 0) this.#pending.delete(to);
      };
      const move = () => {
        end();
        reject(new ShoalError('net.unreachable', `${this.#link(at).name} took no frame for ${to}`, { peer: to }));
      };
      const waiting = { at, move };
      const cancel = this.#clock.after(`links: ${to} takes a frame`, patienceMs, move);
      pending.add(waiting);
      sent.finally(end).then(resolve, reject);
    });
  }

  #listenerOn(at: number): LinkListener {
    return {
      onFrame: (frame, from) => {
        this.#route.heard(from, at);
        for (const waiting of [...(this.#pending.get(from) ?? [])]) if (waiting.at !== at) waiting.move();
        this.#listeners.frame(frame, from);
      },
      onPeer: (peer, reachable) => this.#peer(peer, at, reachable),
      onAdvert: (peer, capability) => this.#listeners.advert(peer, capability),
    };
  }

  #link(at: number): Link {
    return this.#links[at] as Link;
  }

  #peer(peer: PeerId, at: number, isReachable: boolean): void {
    const before = this.#reachable.get(peer) ?? 0;
    const bits = isReachable ? before | (1 << at) : before & ~(1 << at);
    if (bits === 0) this.#reachable.delete(peer);
    else this.#reachable.set(peer, bits);
    this.#route.changed(peer, at, isReachable);
    // Also when another one is left: what was on its way over the lost one is asked for again at once.
    this.#listeners.peer(peer, bits !== 0);
  }
}

const nothing: ReadonlySet<number> = new Set();
/** A link that has not taken a frame after this time is passed over when another one reaches the peer, ms. */
const patienceMs = 3_000;
/** What the next link may be able to take. */
const passedOn: ReadonlySet<string> = new Set(['net.unreachable', 'queue.full']);
