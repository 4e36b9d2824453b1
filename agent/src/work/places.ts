/** Brings an attempt to its end; its place is free again then. */
type Run = () => Promise<unknown>;

/**
 * What a device has for work, as admission counts it. Agents that serve several coordinators on one device are handed the same one: together they take
 * no more than the device can, whoever asks first gets the place, and what waits is begun in the order in which it came.
 */
export class WorkPlaces {
  readonly #concurrency: number;
  #line: Run[] = [];
  #running = 0;
  #taken = 0;
  #inputBytes = 0;

  /** @param concurrency tasks with a model that are worked on at the same time */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  /** Attempts that wait for their turn. */
  get queued(): number {
    return this.#line.length;
  }

  /** Attempts that were taken and have not ended. */
  get taken(): number {
    return this.#taken;
  }

  /** Bytes of their inputs. */
  get inputBytes(): number {
    return this.#inputBytes;
  }

  take(inputBytes: number): void {
    this.#taken += 1;
    this.#inputBytes += inputBytes;
  }

  giveBack(inputBytes: number): void {
    this.#taken -= 1;
    this.#inputBytes -= inputBytes;
  }

  /** Begins it when its turn comes, perhaps in this very turn. */
  enqueue(run: Run): void {
    this.#line.push(run);
    this.#next();
  }

  /** It is not begun any more. */
  leave(run: Run): void {
    this.#line = this.#line.filter((other) => other !== run);
  }

  #next(): void {
    while (this.#running < this.#concurrency) {
      const run = this.#line.shift();
      if (!run) return;
      this.#running += 1;
      void run().finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }
}
