import { ShoalError } from '@shoal/protocol';
import type { FastifyReply } from 'fastify';

/** Requests that wait for something, so that they can be told to end: by their client, or by the server that stops. */
export class OpenRequests {
  readonly #open = new Set<AbortController>();

  get size(): number {
    return this.#open.size;
  }

  /** The signal fires when the client goes away or {@link abortAll} is called. Call `close` when the request is done. */
  open(reply: FastifyReply): { readonly signal: AbortSignal; readonly close: () => void } {
    const controller = new AbortController();
    this.#open.add(controller);
    const onClose = () => controller.abort(new ShoalError('aborted', 'the client went away'));
    reply.raw.once('close', onClose);
    return {
      signal: controller.signal,
      close: () => {
        this.#open.delete(controller);
        reply.raw.off('close', onClose);
      },
    };
  }

  abortAll(): void {
    for (const controller of this.#open) controller.abort(new ShoalError('closed', 'the coordinator is stopping'));
    this.#open.clear();
  }
}
