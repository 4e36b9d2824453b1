/**
 * A peer's wall clock, as far as what it signed tells. Only answers count: one was made after its question was asked, so it says within a round trip
 * what time it is there, whatever the clock here says and however long a broker holds other messages back. In between, this side's monotonic clock goes on.
 */
export class PeerClock {
  /** What the peer's wall clock is ahead of the monotonic clock here, at least, ms. */
  #aheadMs: number | undefined;

  /** An answer that says when it was sent has come, so long after its question. */
  answered(
    { sentAtMs, roundTripMs }: { readonly sentAtMs: number; readonly roundTripMs: number },
    monotonicMs: number,
  ): void {
    const leastMs = sentAtMs - monotonicMs;
    const before = this.#aheadMs ?? Number.NEGATIVE_INFINITY;
    const wasSetBack = before > leastMs + roundTripMs;
    this.#aheadMs = wasSetBack ? leastMs : Math.max(before, leastMs);
  }

  /** What time it is there, ms since the Unix epoch; never later than it is, unless that clock was set back since. `undefined`: it has not answered yet. */
  nowMs(monotonicMs: number): number | undefined {
    return this.#aheadMs === undefined ? undefined : this.#aheadMs + monotonicMs;
  }
}
