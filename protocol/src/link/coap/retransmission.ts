import type { Clock, Random } from '../../runtime/index.ts';

/** RFC 7252 §4.8. */
const ackRandomFactor = 1.5;

export interface RetransmissionOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The first wait, before a share of chance is added; each further one is twice as long, ms. */
  readonly timeoutMs: number;
  /** Given up after so long, ms. */
  readonly patienceMs: number;
  send(): void;
  onSilence(): void;
}

/** Sends a confirmable message, and again until it is acknowledged or given up (RFC 7252 §4.2). */
export class Retransmission {
  readonly #options: RetransmissionOptions;
  readonly #endMs: number;
  #waitMs: number;
  #copies = 0;
  #isAcknowledged = false;
  #cancel = () => {};

  constructor(options: RetransmissionOptions) {
    const { clock, random, timeoutMs, patienceMs } = options;
    this.#options = options;
    this.#endMs = clock.monotonicMs() + patienceMs;
    this.#waitMs = timeoutMs * (1 + random.next() * (ackRandomFactor - 1));
    this.#send(patienceMs);
  }

  /** How often it has been sent. */
  get copies(): number {
    return this.#copies;
  }

  /** It arrived, and something else is waited for: it is not sent again. */
  acknowledged(): void {
    this.#isAcknowledged = true;
  }

  end(): void {
    this.#cancel();
  }

  #send(leftMs: number): void {
    this.#copies += 1;
    this.#wait(Math.min(this.#waitMs, leftMs));
    this.#waitMs *= 2;
    this.#options.send();
  }

  #wait(ms: number): void {
    const { clock, onSilence } = this.#options;
    this.#cancel = clock.after('coap: an acknowledgement', ms, () => {
      const leftMs = this.#endMs - clock.monotonicMs();
      if (leftMs <= 0) onSilence();
      else if (this.#isAcknowledged) this.#wait(leftMs);
      else this.#send(leftMs);
    });
  }
}
