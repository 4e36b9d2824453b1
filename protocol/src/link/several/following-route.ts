import type { PeerId } from '../../identity/index.ts';
import type { Route } from './route.ts';

/** Peers whose last link is remembered at most; those that were heard last stay. */
const mostPeers = 100_000;

/**
 * A coordinator's ways to its devices: each is answered over the link that it spoke over last. A device chooses its link, and notices sooner than the
 * coordinator when one is silent; so both directions are on the same.
 */
export class FollowingRoute implements Route {
  readonly #links: number;
  readonly #last = new Map<PeerId, number>();

  constructor(links: number) {
    this.#links = links;
  }

  order(peer: PeerId, reachable: ReadonlySet<number>): readonly number[] {
    const last = this.#last.get(peer);
    const all = Array.from({ length: this.#links }, (_, link) => link);
    const rank = (link: number) => (reachable.has(link) ? 0 : 2) + (link === last ? 0 : 1);
    return all.sort((a, b) => rank(a) - rank(b) || a - b);
  }

  asked(): void {}

  refused(): void {}

  changed(): void {}

  heard(peer: PeerId, link: number): void {
    // Where there is no choice nothing has to be remembered.
    if (this.#links === 1 || this.#last.get(peer) === link) return;
    this.#last.delete(peer);
    this.#last.set(peer, link);
    if (this.#last.size <= mostPeers) return;
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest);
      return;
    }
  }
}
