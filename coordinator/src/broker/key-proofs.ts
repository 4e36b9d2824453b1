import { type Clock, type PeerId, roleOf } from '@shoal/protocol';
import { readKeyProof } from '@shoal/protocol/mqtt';

export interface KeyProofOptions {
  /** How far the peer's clock may be from ours, ms. */
  readonly windowMs: number;
  /** Proofs that are remembered so that none is used twice. The oldest are forgotten first. */
  readonly mostRemembered: number;
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

  /** The device that this user name and password prove, or why they do not. */
  check(
    username: string | undefined,
    password: string | undefined,
  ): { readonly device: PeerId } | { readonly refused: string } {
    if (username === undefined || password === undefined) return { refused: 'no user name and password' };
    if (roleOf(username) !== 'device') return { refused: 'the user name is not the id of a device' };
    const proof = readKeyProof(username, password);
    if (!proof) return { refused: 'the password does not prove the key of this device' };
    const driftMs = proof.madeAtMs - this.#clock.nowMs();
    if (Math.abs(driftMs) > this.#options.windowMs)
      return { refused: `the clocks differ by ${Math.round(driftMs / 1000)} s` };
    if (this.#used.has(password)) return { refused: 'this proof was used before' };
    this.#remember(password);
    return { device: proof.peer };
  }

  #remember(password: string): void {
    this.#used.add(password);
    if (this.#used.size <= this.#options.mostRemembered) return;
    for (const oldest of this.#used) {
      this.#used.delete(oldest);
      return;
    }
  }
}
