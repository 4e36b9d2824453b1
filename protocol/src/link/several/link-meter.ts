/** What was measured of one link. */
export interface LinkFigures {
  /** From a question to the next frame that came back, ms: there and back and what the peer took to answer. `undefined`: nothing came yet. */
  readonly rttMs: number | undefined;
  /** Share of what was asked that nothing came back for, 0..1. */
  readonly loss: number;
}

/** Newer measurements count for this share. */
const newestWeight = 0.2;
/** A second question within this time does not mean that the first one was lost, ms: messages leave close together. */
const patienceMs = 500;

/** Follows what is asked over one link, and what comes back. */
export class LinkMeter {
  #rttMs: number | undefined;
  #loss = 0;
  /** When the first question was sent that nothing was heard after. */
  #askedMs: number | undefined;
  #lastAskedMs = Number.NEGATIVE_INFINITY;
  /** How often something was asked since, a while later each time. */
  #askedAgain = 0;

  get figures(): LinkFigures {
    return { rttMs: this.#rttMs, loss: this.#loss };
  }

  get lastAskedMs(): number {
    return this.#lastAskedMs;
  }

  /**
   * Whether something was asked that long ago, and again since, and nothing at all came back. That one question is not answered yet says nothing: it may
   * take long.
   */
  isSilent(nowMs: number, forMs: number): boolean {
    if (this.#askedMs === undefined || this.#askedAgain === 0) return false;
    return nowMs - this.#askedMs >= forMs && nowMs - this.#lastAskedMs >= patienceMs;
  }

  asked(nowMs: number): void {
    if (this.#askedMs === undefined) this.#askedMs = nowMs;
    else if (nowMs - this.#lastAskedMs >= patienceMs) {
      this.#loss += newestWeight * (1 - this.#loss);
      this.#askedAgain += 1;
    }
    this.#lastAskedMs = nowMs;
  }

  heard(nowMs: number): void {
    if (this.#askedMs === undefined) return;
    // Of several that were asked, which one is answered cannot be told.
    if (this.#askedAgain === 0) this.#took(nowMs - this.#askedMs);
    this.#loss -= newestWeight * this.#loss;
    this.cut();
  }

  /** What is open will not be answered over this link. */
  cut(): void {
    this.#askedMs = undefined;
    this.#askedAgain = 0;
  }

  #took(ms: number): void {
    this.#rttMs = this.#rttMs === undefined ? ms : this.#rttMs + newestWeight * (ms - this.#rttMs);
  }
}
