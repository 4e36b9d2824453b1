import { type Random, seededRandom } from '@shoal/protocol';

/** What a change is drawn with: the same for the same seed, on every machine. */
export class Dice {
  readonly random: Random;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** A whole number from 0 to `most - 1`. */
  below(most: number): number {
    return Math.floor(this.random.next() * most);
  }

  /** True in one of so many throws. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return this.random.bytes(length);
  }

  /** Mostly short, now and then long. */
  length(): number {
    return this.below(2 ** (1 + this.below(this.oneIn(50) ? 14 : 7)));
  }
}
