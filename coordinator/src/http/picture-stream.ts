import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { asShoalError, type Logger } from '@shoal/protocol';
import type { FastifyReply } from 'fastify';
import type { LivePicture } from '../domain/index.ts';
import type { OpenRequests } from './open-requests.ts';

/** A part of a multipart body (RFC 2046 §5.1). */
export interface Part {
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Uint8Array | string;
}

interface Parts {
  readonly mediaType: 'multipart/mixed' | 'multipart/x-mixed-replace';
  readonly of: (picture: LivePicture) => readonly Part[];
}

const boundary = 'shoal-picture';

/**
 * Answers with pictures until the source ends, the client goes or the server drains. A slow client is waited for: the source holds the newest picture
 * of each camera meanwhile, and no other.
 */
export function sendPictures(
  reply: FastifyReply,
  deps: { readonly logger: Logger; readonly streams: OpenRequests },
  source: (signal: AbortSignal) => AsyncIterable<LivePicture>,
  parts: Parts,
): FastifyReply {
  const { signal, close } = deps.streams.open(reply);
  const stream = new PassThrough();
  let pictures: AsyncIterable<LivePicture>;
  try {
    pictures = source(signal);
  } catch (error) {
    close();
    throw error;
  }
  // Before the first picture: a browser knows then that it is connected.
  stream.write(`--${boundary}`);
  const pumped = pump(pictures, parts.of, stream, signal)
    .catch((thrown: unknown) => {
      if (!signal.aborted) deps.logger.warn('picture stream failed', { error: asShoalError(thrown).message });
    })
    .finally(() => {
      close();
      stream.end('--\r\n');
    });
  void pumped;
  return reply
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no') // nginx would hold pictures back
    .type(`${parts.mediaType}; boundary=${boundary}`)
    .send(stream);
}

async function pump(
  pictures: AsyncIterable<LivePicture>,
  partsOf: Parts['of'],
  stream: PassThrough,
  signal: AbortSignal,
): Promise<void> {
  for await (const picture of pictures) {
    signal.throwIfAborted();
    for (const { headers, body } of partsOf(picture)) {
      const head = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body) });
      stream.write(`\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
      stream.write(body);
      // The boundary goes along with what it ends: who reads need not wait for the next part to know that this one is whole.
      stream.write(`\r\n--${boundary}`);
    }
    if (stream.writableNeedDrain) await once(stream, 'drain', { signal });
  }
}
