import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { asShoalError, type Clock, every, type Logger } from '@shoal/protocol';
import type { FastifyReply } from 'fastify';
import { toProblem } from './error-handling.ts';
import type { OpenRequests } from './open-requests.ts';

/** One server-sent event. `data` is sent as JSON, which has no line breaks. */
export interface ServerEvent {
  readonly event: string;
  readonly data: unknown;
}

/** Shorter than the silence after which common proxies cut a connection (60 s). */
const heartbeatMs = 15_000;
const reconnectMs = 2_000;

/**
 * Answers with server-sent events (HTML Living Standard §9.2) until the source ends, the client goes or the server drains.
 * A slow client is waited for: what piles up meanwhile is the source's to bound.
 */
export function sendEvents(
  reply: FastifyReply,
  deps: { readonly clock: Clock; readonly logger: Logger; readonly streams: OpenRequests },
  source: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
): FastifyReply {
  const stream = new PassThrough();
  const { signal, close } = deps.streams.open(reply);
  const stopHeartbeat = every(deps.clock, 'http/event-stream/heartbeat', heartbeatMs, () => {
    if (!stream.writableNeedDrain) stream.write(':\n\n');
  });
  stream.write(`retry: ${reconnectMs}\n\n`);
  const pumped = pump(source(signal), stream, signal)
    .catch((thrown: unknown) => {
      if (signal.aborted) return;
      const error = asShoalError(thrown);
      deps.logger.warn('event stream failed', { code: error.code, error: error.message });
      stream.write(frame({ event: 'problem', data: toProblem(error, reply.request.url) }));
    })
    .finally(() => {
      stopHeartbeat();
      close();
      stream.end();
    });
  void pumped;
  return reply
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no') // nginx would hold events back
    .type('text/event-stream')
    .send(stream);
}

async function pump(events: AsyncIterable<ServerEvent>, stream: PassThrough, signal: AbortSignal): Promise<void> {
  for await (const event of events) {
    signal.throwIfAborted();
    if (!stream.write(frame(event))) await once(stream, 'drain', { signal });
  }
}

function frame({ event, data }: ServerEvent): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
