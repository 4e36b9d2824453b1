import type { PeerId } from '@shoal/protocol';
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

/** What happens to a frame on its way: it is lost, late, doubled, or stopped by a partition. All of it from one seed. */
export class Network {
  readonly #seed: number;
  /** By direction: what happens on one way does not depend on what was said on another. */
  readonly #dice = new Map<string, Dice>();
  /** Peers that nothing comes from, and peers that nothing comes to. */
  readonly #mute = new Set<PeerId>();
  readonly #deaf = new Set<PeerId>();
  options: NetworkOptions;

  constructor(seed: number, options: NetworkOptions) {
    this.#seed = seed;
    this.options = options;
  }

  /** The delays after which copies of the frame arrive; none when it is lost. */
  route(from: PeerId, to: PeerId): readonly number[] {
    const { latencyMs, jitterMs, loss, duplication } = this.options;
    const dice = this.#diceFor(from, to);
    if (dice.chance(loss) || this.#mute.has(from) || this.#deaf.has(to)) return [];
    const delayMs = () => latencyMs + dice.next() * jitterMs;
    return dice.chance(duplication) ? [delayMs(), delayMs()] : [delayMs()];
  }

  /** Nothing comes from or to the peer, or only one of the two, until it is healed. Nobody is told. */
  cut(peer: PeerId, direction: 'both' | 'from' | 'to' = 'both'): void {
    if (direction !== 'to') this.#mute.add(peer);
    if (direction !== 'from') this.#deaf.add(peer);
  }

  isCut(peer: PeerId): boolean {
    return this.#mute.has(peer) || this.#deaf.has(peer);
  }

  heal(peer: PeerId): void {
    this.#mute.delete(peer);
    this.#deaf.delete(peer);
  }

  #diceFor(from: PeerId, to: PeerId): Dice {
    const way = `${from} to ${to}`;
    const dice = this.#dice.get(way) ?? Dice.of(this.#seed, way);
    this.#dice.set(way, dice);
    return dice;
  }
}
