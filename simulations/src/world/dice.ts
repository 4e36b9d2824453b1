import { type Random, seededRandom } from '@shoal/protocol';

/** Randomness with a name of its own in a world: what is decided here does not change because something else was or was not decided elsewhere. */
export class Dice implements Random {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** @param what names what these dice decide */
  static of(seed: number, what: string): Dice {
    return new Dice(hash(`${seed} ${what}`));
  }

  next(): number {
    return this.#random.next();
  }

  bytes(length: number): Uint8Array {
    return this.#random.bytes(length);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of several. @throws when there is none */
  pick<T>(of: readonly T[]): T {
    if (of.length === 0) throw new Error('nothing to choose from');
    return of[Math.floor(this.next() * of.length)] as T;
  }

  /** A seed for other dice. */
  seed(): number {
    return Math.floor(this.next() * 2 ** 32);
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
