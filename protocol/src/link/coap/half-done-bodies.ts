import { GrowingBytes } from '../../bytes/index.ts';
import type { Clock } from '../../runtime/index.ts';
import type { Block } from './block-option.ts';

export interface HalfDoneLimits {
  /** Bodies that have begun and not ended, of all clients together. */
  readonly maxHalfDone: number;
  /** Bytes of them. */
  readonly maxHalfDoneBytes: number;
  /** A body is given up when no block came for this long, ms. */
  readonly halfDoneMs: number;
}

interface HalfDone {
  readonly bytes: GrowingBytes;
  touchedMs: number;
}

/** What becomes of a block: the body is whole; more is to come; it does not follow the last one; it is no block; the body is too large. */
export type BlockOutcome =
  | { readonly kind: 'whole'; readonly body: Buffer }
  | { readonly kind: 'more' }
  | { readonly kind: 'gap' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'too-large' };

/** Puts bodies together that come block-wise (RFC 7959 §2.5). When there are too many, the one that was not touched for longest has to go. */
export class HalfDoneBodies {
  readonly #clock: Clock;
  readonly #limits: HalfDoneLimits;
  /** The one that was touched last is the last one. */
  readonly #bodies = new Map<string, HalfDone>();
  #bytes = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, limits: HalfDoneLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get count(): number {
    return this.#bodies.size;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  /** @param key of the request that the block belongs to: the same for all blocks of one body, another one for any other body */
  add(key: string, block: Block, payload: Buffer, maxBodyBytes: number): BlockOutcome {
    if (block.more && payload.length !== block.sizeBytes) return { kind: 'malformed' };
    const offset = block.number * block.sizeBytes;
    // The first block begins anew.
    if (offset === 0) this.drop(key);
    const known = this.#bodies.get(key);
    const soFar = known?.bytes.length ?? 0;
    // One that came before, again.
    if (offset + payload.length <= soFar && block.more) return { kind: 'more' };
    if (offset !== soFar) return { kind: 'gap' };
    if (soFar + payload.length > maxBodyBytes) {
      this.drop(key);
      return { kind: 'too-large' };
    }
    if (!block.more) {
      this.drop(key);
      known?.bytes.push(payload);
      return { kind: 'whole', body: known?.bytes.take() ?? payload };
    }
    this.#keep(key, known, payload);
    return { kind: 'more' };
  }

  drop(key: string): void {
    this.#bytes -= this.#bodies.get(key)?.bytes.length ?? 0;
    this.#bodies.delete(key);
  }

  clear(): void {
    this.#bodies.clear();
    this.#bytes = 0;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #keep(key: string, known: HalfDone | undefined, payload: Buffer): void {
    const body = known ?? { bytes: new GrowingBytes(), touchedMs: 0 };
    body.bytes.push(payload);
    body.touchedMs = this.#clock.monotonicMs();
    this.#bodies.delete(key);
    this.#bodies.set(key, body);
    this.#bytes += payload.length;
    while (this.#bodies.size > this.#limits.maxHalfDone || this.#bytes > this.#limits.maxHalfDoneBytes) {
      const [longestUntouched] = this.#bodies.keys();
      if (longestUntouched === undefined) break;
      this.drop(longestUntouched);
    }
    this.#watch();
  }

  #watch(): void {
    const { halfDoneMs } = this.#limits;
    if (this.#cancel) return;
    this.#cancel = this.#clock.after('coap: half-done bodies', halfDoneMs, () => {
      this.#cancel = undefined;
      const oldestMs = this.#clock.monotonicMs() - halfDoneMs;
      for (const [key, { touchedMs }] of this.#bodies) if (touchedMs <= oldestMs) this.drop(key);
      if (this.#bodies.size > 0) this.#watch();
    });
  }
}
