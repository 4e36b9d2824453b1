import type { Clock, PeerId } from '@shoal/protocol';

/** How long a device that was revoked, and is connected again, may ask what has become of it, ms. */
const lastWordsMs = 5_000;

/** Ends the connections of revoked devices that come back, once they could hear why they are refused. */
export class LastWords {
  readonly #clock: Clock;
  readonly #cut: (device: PeerId) => void;
  /** By device: forgets to end it. */
  readonly #ending = new Map<PeerId, () => void>();

  constructor(clock: Clock, cut: (device: PeerId) => void) {
    this.#clock = clock;
    this.#cut = cut;
  }

  hear(device: PeerId): void {
    if (this.#ending.has(device)) return;
    const end = () => {
      this.#ending.delete(device);
      this.#cut(device);
    };
    this.#ending.set(device, this.#clock.after(`registry: ${device} was revoked`, lastWordsMs, end));
  }

  stop(): void {
    for (const cancel of this.#ending.values()) cancel();
    this.#ending.clear();
  }
}
