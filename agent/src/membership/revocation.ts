import { asShoalError, isShoalError, type Logger, type ShoalError } from '@shoal/protocol';
import type { Speak } from './speak.ts';

interface Deps {
  readonly speak: Speak;
  readonly logger: Logger;
  /** Ends what the device does, and forgets what it was given to watch. */
  readonly end: (why: ShoalError) => Promise<void>;
}

/**
 * A coordinator revokes a device for good, and says so in any answer: to a hello, to a result. What the device does ends with the first of them,
 * and nothing more is said to the coordinator.
 */
export class Revocation {
  readonly #deps: Deps;
  readonly #over = Promise.withResolvers<void>();
  #why: ShoalError | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Resolves when the device was revoked and what it did has ended; never for any other. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Asks the coordinator, and hears when it says that this device is revoked. */
  readonly speak: Speak = async (payload, options) => {
    if (this.#why) throw this.#why;
    try {
      return await this.#deps.speak(payload, options);
    } catch (error) {
      if (isShoalError(error, 'device.revoked')) void this.#hear(error);
      throw error;
    }
  };

  async #hear(why: ShoalError): Promise<void> {
    if (this.#why) return;
    this.#why = why;
    const { logger, end } = this.#deps;
    logger.error(
      'the coordinator revoked this device: it stops, and forgets its cameras. To have it back, ask the operator for a token: shoal-agent join TOKEN --data OTHER',
      { why: why.message },
    );
    try {
      await end(why);
    } catch (error) {
      logger.error('what a revoked device did has not ended well', { error: asShoalError(error).message });
    }
    this.#over.resolve();
  }
}
