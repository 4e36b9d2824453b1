import type { PeerId } from '../identity/index.ts';
import type { Clock } from '../runtime/index.ts';

/** A disk that fails lies too: who has lied may be mended, and is asked again after this long, ms. */
const forgottenAfterMs = 600_000;
const mostLiars = 1_000;

/** Agents that have sent what is wrong lately. */
export class Liars {
  readonly #clock: Clock;
  readonly #sinceMs = new Map<PeerId, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(peer: PeerId): boolean {
    const sinceMs = this.#sinceMs.get(peer);
    return sinceMs !== undefined && this.#clock.monotonicMs() - sinceMs < forgottenAfterMs;
  }

  add(peer: PeerId): void {
    this.#sinceMs.delete(peer);
    this.#sinceMs.set(peer, this.#clock.monotonicMs());
    const [oldest] = this.#sinceMs.keys();
    if (this.#sinceMs.size > mostLiars && oldest !== undefined) this.#sinceMs.delete(oldest);
  }
}
