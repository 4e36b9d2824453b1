import type { Clock } from '@shoal/protocol';

/**
 * Lets so many through in one turn of the event loop, the others one turn after another in the order in which they came. When a whole fleet speaks at once,
 * the first have their answer while the last still wait; without it all would go on at the same pace, and all too late.
 */
export class Turnstile {
  readonly #clock: Clock;
  readonly #perTurn: number;
  /** Bounded by the connections. */
  #waiting: (() => void)[] = [];
  /** Of those, how many are through. */
  #gone = 0;
  /** Places that are left in this turn. */
  #room: number;

  constructor(clock: Clock, perTurn: number) {
    this.#clock = clock;
    this.#perTurn = perTurn;
    this.#room = perTurn;
  }

  enter(go: () => void): void {
    if (this.#room === this.#perTurn) this.#clock.soon('mqtt: next turn', () => this.#turn());
    if (this.#room > 0) {
      this.#room -= 1;
      go();
    } else this.#waiting.push(go);
  }

  #turn(): void {
    const now = this.#waiting.slice(this.#gone, this.#gone + this.#perTurn);
    this.#gone += now.length;
    if (this.#gone === this.#waiting.length) {
      this.#waiting = [];
      this.#gone = 0;
    }
    // Who comes meanwhile comes after them.
    this.#room = 0;
    for (const go of now) go();
    const isOver = this.#waiting.length === this.#gone;
    if (isOver) this.#room = this.#perTurn - now.length;
    if (!isOver || now.length > 0) this.#clock.soon('mqtt: next turn', () => this.#turn());
  }
}
