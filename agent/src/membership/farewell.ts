import { asShoalError, type Logger, type Service } from '@shoal/protocol';
import type { Speak } from './speak.ts';

/** How long it is tried to say goodbye, ms. */
const goodbyeMs = 1_000;

/** Says goodbye when everything else is done: so that the coordinator need not wait for a silence to notice. */
export class Farewell implements Service {
  readonly name = 'farewell';
  readonly #deps: { readonly speak: Speak; readonly logger: Logger; readonly hasJoined: () => boolean };

  constructor(deps: { readonly speak: Speak; readonly logger: Logger; readonly hasJoined: () => boolean }) {
    this.#deps = deps;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  async drain(signal: AbortSignal): Promise<void> {
    if (!this.#deps.hasJoined()) return;
    try {
      await this.#deps.speak({ goodbye: { reason: 'stopped' } }, { timeoutMs: goodbyeMs, signal });
    } catch (error) {
      this.#deps.logger.debug('goodbye was not heard', { why: asShoalError(error).message });
    }
  }

  async stop(): Promise<void> {}
}
