import { fromBase64Url } from '../bytes/index.ts';
import { type ImportPeerKey, importPeerKey, type PeerId, roleOf } from '../identity/index.ts';
import type { Clock } from '../runtime/index.ts';
import { type KeyProofContext, readKeyProof } from './key-proof.ts';

export interface KeyProofOptions {
  readonly context: KeyProofContext;
  /** How far the peer's clock may be from ours for its proof to be a timely one, ms. */
  readonly windowMs: number;
  /** Proofs that are remembered so that none is used twice. The oldest are forgotten first. */
  readonly mostRemembered: number;
  /** Left out: {@link importPeerKey}. */
  readonly importKey?: ImportPeerKey;
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
    const { context, windowMs, importKey = importPeerKey } = this.#options;
    const proof = readKeyProof(context, id, shown, importKey);
    if (!proof) return { refused: 'it does not prove the key of this device' };
    const name = nameOf(shown);
    if (this.#used.has(name)) return { refused: 'this proof was used before' };
    this.#remember(name);
    return { device: proof.peer, timely: Math.abs(proof.madeAtMs - this.#clock.nowMs()) <= windowMs };
  }

  #remember(name: string): void {
    this.#used.add(name);
    if (this.#used.size <= this.#options.mostRemembered) return;
    for (const oldest of this.#used) {
      this.#used.delete(oldest);
      return;
    }
  }
}

/**
 * 128 bits of the signature's first half (R of RFC 8032 §5.1.6), which is another one for everything else that is signed and for every other key: a tenth
 * of the proof, of which very many are remembered.
 */
function nameOf(proof: string): string {
  const signature = fromBase64Url(proof.slice(proof.lastIndexOf('.') + 1)) ?? new Uint8Array();
  return Buffer.from(signature.subarray(0, 16)).toString('latin1');
}
