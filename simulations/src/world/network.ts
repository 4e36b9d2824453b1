import type { Clock, PeerId } from '@shoal/protocol';
import { Dice } from './dice.ts';

export interface NetworkOptions {
  /** One way, ms. */
  readonly latencyMs: number;
  /** Added to the latency, uniform in 0..jitterMs; frames overtake each other. */
  readonly jitterMs: number;
  /** Share of frames that are lost, 0..1. */
  readonly loss: number;
  /** Share of frames that arrive twice, 0..1. */
  readonly duplication: number;
}

export const calmNetwork: NetworkOptions = { latencyMs: 2, jitterMs: 1, loss: 0, duplication: 0 };

/** Bytes that wait for a slow link in one direction at most; what comes then is lost, as in a router. */
export const linkQueueBytes = 48_000;

/** What happens to a frame on its way: it is lost, late, doubled, or stopped by a partition, or waits for a slow link. All of it from one seed. */
export class Network {
  readonly #seed: number;
  readonly #clock: Clock;
  /** Peers that speak with each other only. */
  readonly #apart = new Set<PeerId>();
  /** Bytes per ms, of peers whose link is slow. */
  readonly #speeds = new Map<PeerId, number>();
  /** Until when a slow link is busy, by direction, virtual ms. */
  readonly #busyUntilMs = new Map<string, number>();
  /** The most that ever waited for a link, bytes. */
  mostQueuedBytes = 0;
  /** By direction: what happens on one way does not depend on what was said on another. */
  readonly #dice = new Map<PeerId, Map<PeerId, Dice>>();
  /** Peers that nothing comes from, and peers that nothing comes to. */
  readonly #mute = new Set<PeerId>();
  readonly #deaf = new Set<PeerId>();
  options: NetworkOptions;

  constructor(seed: number, clock: Clock, options: NetworkOptions) {
    this.#seed = seed;
    this.#clock = clock;
    this.options = options;
  }

  /** The delays after which copies of the frame arrive; none when it is lost. */
  route(from: PeerId, to: PeerId, sizeBytes: number): readonly number[] {
    const { latencyMs, jitterMs, loss, duplication } = this.options;
    const dice = this.#diceFor(from, to);
    if (dice.chance(loss) || this.#mute.has(from) || this.#deaf.has(to)) return [];
    if (this.#apart.has(from) !== this.#apart.has(to)) return [];
    const busyMs = this.#queue(from, to, sizeBytes);
    if (busyMs === undefined) return [];
    const delayMs = () => busyMs + latencyMs + dice.next() * jitterMs;
    return dice.chance(duplication) ? [delayMs(), delayMs()] : [delayMs()];
  }

  /** Nothing comes from or to the peer, or only one of the two, until it is healed. Nobody is told. */
  cut(peer: PeerId, direction: 'both' | 'from' | 'to' = 'both'): void {
    if (direction !== 'to') this.#mute.add(peer);
    if (direction !== 'from') this.#deaf.add(peer);
  }

  /** These are cut off from all others, and not from each other, until it is joined again. */
  split(peers: readonly PeerId[]): void {
    for (const peer of peers) this.#apart.add(peer);
  }

  join(): void {
    this.#apart.clear();
  }

  get isSplit(): boolean {
    return this.#apart.size > 0;
  }

  /** @param bytesPerMs of the peer's link, each way; `undefined`: as fast as any */
  limit(peer: PeerId, bytesPerMs: number | undefined): void {
    if (bytesPerMs === undefined) this.#speeds.delete(peer);
    else this.#speeds.set(peer, bytesPerMs);
  }

  isCut(peer: PeerId): boolean {
    return this.#mute.has(peer) || this.#deaf.has(peer);
  }

  heal(peer: PeerId): void {
    this.#mute.delete(peer);
    this.#deaf.delete(peer);
  }

  /** How long the frame waits and takes on the slower of the two links, ms; `undefined` when it has no room. */
  #queue(from: PeerId, to: PeerId, sizeBytes: number): number | undefined {
    const bytesPerMs = Math.min(this.#speeds.get(from) ?? Infinity, this.#speeds.get(to) ?? Infinity);
    if (bytesPerMs === Infinity) return 0;
    const way = `${from} to ${to}`;
    const nowMs = this.#clock.monotonicMs();
    const waitMs = Math.max(0, (this.#busyUntilMs.get(way) ?? 0) - nowMs);
    const queuedBytes = waitMs * bytesPerMs + sizeBytes;
    if (queuedBytes > linkQueueBytes) return undefined;
    this.mostQueuedBytes = Math.max(this.mostQueuedBytes, queuedBytes);
    const busyMs = waitMs + sizeBytes / bytesPerMs;
    this.#busyUntilMs.set(way, nowMs + busyMs);
    return busyMs;
  }

  #diceFor(from: PeerId, to: PeerId): Dice {
    const known = this.#dice.get(from)?.get(to);
    if (known) return known;
    const dice = Dice.of(this.#seed, `${from} to ${to}`);
    this.#dice.set(from, (this.#dice.get(from) ?? new Map<PeerId, Dice>()).set(to, dice));
    return dice;
  }
}
