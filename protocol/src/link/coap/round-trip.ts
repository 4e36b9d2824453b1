/** Before anything was measured (RFC 7252 §4.8, ACK_TIMEOUT), ms. */
const firstTimeoutMs = 2_000;
/** A peer may take a moment even on a fast network, ms. */
const leastTimeoutMs = 250;
const mostTimeoutMs = 10_000;

/**
 * How long to wait for an answer before a message is sent again: measured as TCP does (RFC 6298), which RFC 7252 §4.8.1 asks for before the wait may be
 * shorter than its two seconds.
 */
export class RoundTrip {
  #smoothedMs: number | undefined;
  #variationMs = 0;

  get timeoutMs(): number {
    if (this.#smoothedMs === undefined) return firstTimeoutMs;
    return Math.min(mostTimeoutMs, Math.max(leastTimeoutMs, this.#smoothedMs + 4 * this.#variationMs));
  }

  /** Only of what was sent once: which of several copies is answered cannot be told (Karn's rule, RFC 6298 §3). */
  measured(ms: number): void {
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = ms;
      this.#variationMs = ms / 2;
      return;
    }
    this.#variationMs += (Math.abs(this.#smoothedMs - ms) - this.#variationMs) / 4;
    this.#smoothedMs += (ms - this.#smoothedMs) / 8;
  }
}
