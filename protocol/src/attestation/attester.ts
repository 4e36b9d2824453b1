import type { Identity } from '../identity/index.ts';
import { signDsseBatch } from './dsse.ts';
import { type AttestOptions, statementAbout, statementMediaType } from './statement.ts';

interface Waiting {
  readonly payload: Uint8Array;
  resolve(attestation: Uint8Array): void;
  reject(error: unknown): void;
}

/** Signs what a device says about its results. What is attested in the same turn goes under one signature: signing is what costs. */
export class Attester {
  readonly #identity: Identity;
  #waiting: Waiting[] = [];

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** The signed statement about a result: a DSSE envelope as JSON bytes. Resolves in this same turn. */
  attest(options: AttestOptions): Promise<Uint8Array> {
    const payload = statementAbout(this.#identity.id, options);
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ payload, resolve, reject }) === 1) queueMicrotask(() => this.#sign());
    });
  }

  #sign(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      const payloads = batch.map(({ payload }) => payload);
      const attestations = signDsseBatch(this.#identity, statementMediaType, payloads);
      for (const [i, { resolve }] of batch.entries()) resolve(attestations[i] as Uint8Array);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
