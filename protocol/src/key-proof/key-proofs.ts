import { type PeerId, roleOf } from '../identity/index.ts';
import type { Clock } from '../runtime/index.ts';
import { type KeyProofContext, readKeyProof } from './key-proof.ts';

export interface KeyProofOptions {
  readonly context: KeyProofContext;
  /** How far the peer's clock may be from ours for its proof to be a timely one, ms. */
  readonly windowMs: number;
  /** Proofs that are remembered so that none is used twice. The oldest are forgotten first. */
  readonly mostRemembered: number;
}

/** Who has shown that it holds a key. */
export interface ProvenKey {
  readonly device: PeerId;
  /**
   * Its clock and ours agree. Boards without a battery start years in the past, and have to be let in all the same; but who shows a proof of another
   * time may show one that was overheard long ago, and must not take the place of a device that is there with a timely one.
   */
  readonly timely: boolean;
}

/** Checks that a device holds the key its id is derived from. A proof is good once. */
export class KeyProofs {
  readonly #clock: Clock;
  readonly #options: KeyProofOptions;
  readonly #used = new Set<string>();

  constructor(clock: Clock, options: KeyProofOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** The device that this id and proof show, or why they do not. */
  check(id: string | undefined, shown: string | undefined): ProvenKey | { readonly refused: string } {
    if (id === undefined || shown === undefined) return { refused: 'no id and proof of its key' };
    if (roleOf(id) !== 'device') return { refused: 'it does not say the id of a device' };
    const proof = readKeyProof(this.#options.context, id, shown);
    if (!proof) return { refused: 'it does not prove the key of this device' };
    if (this.#used.has(shown)) return { refused: 'this proof was used before' };
    this.#remember(shown);
    return { device: proof.peer, timely: Math.abs(proof.madeAtMs - this.#clock.nowMs()) <= this.#options.windowMs };
  }

  #remember(proof: string): void {
    this.#used.add(proof);
    if (this.#used.size <= this.#options.mostRemembered) return;
    for (const oldest of this.#used) {
      this.#used.delete(oldest);
      return;
    }
  }
}
