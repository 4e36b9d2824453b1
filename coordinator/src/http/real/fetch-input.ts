import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { ShoalError } from '@shoal/protocol';
import { parseCallersUrl, pinnedTo, resolveCallersUrl } from '../../outbound/real/index.ts';
import type { FetchInput } from '../resource.ts';

export interface FetchInputOptions {
  /** Lets URLs reach this machine and its network: for cameras and servers on the LAN, when every caller is trusted. */
  readonly allowPrivateAddresses: boolean;
  readonly limitBytes: number;
  /** From the request to the last byte. */
  readonly timeoutMs: number;
}

const mostRedirects = 3;

const field = 'input/url';
const instead = 'upload the file instead, or start the coordinator with --allow-private-urls';

/**
 * Fetches what a caller named by URL. The name is resolved once, every address is checked, and exactly those are connected to, so that
 * a name cannot point elsewhere between the check and the connection; each redirect is checked anew. No proxy, no cookies, no credentials.
 */
export function createFetchInput(options: FetchInputOptions): FetchInput {
  return async (url, signal) => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]);
    try {
      const response = await follow(url, options, bounded);
      return {
        content: piecesOf(response, options, signal, bounded),
        mediaType: response.headers['content-type'] ?? 'application/octet-stream',
      };
    } catch (thrown) {
      throw explain(thrown, options, signal, bounded);
    }
  };
}

async function follow(start: string, options: FetchInputOptions, signal: AbortSignal): Promise<IncomingMessage> {
  let url = parseCallersUrl(start, field);
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const { allowPrivateAddresses } = options;
    const addresses = await resolveCallersUrl(url, { allowPrivateAddresses, field, instead });
    const response = await get(url, pinnedTo(addresses), signal);
    const { statusCode = 0, headers } = response;
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      response.destroy();
      url = parseCallersUrl(headers.location, field, url);
      continue;
    }
    const { origin } = url;
    if (statusCode !== 200) {
      response.destroy();
      throw new ShoalError('input.invalid', `${origin} answered ${statusCode}`, {
        field,
        status: statusCode,
      });
    }
    if (Number(headers['content-length'] ?? 0) > options.limitBytes) {
      response.destroy();
      throw tooLarge(options);
    }
    return response;
  }
  throw new ShoalError('input.invalid', `the URL redirects more than ${mostRedirects} times`, { field });
}

function get(url: URL, lookup: LookupFunction, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { accept: 'image/*, video/*, */*;q=0.5', 'user-agent': 'shoal' };
  return new Promise((resolve, reject) => {
    request(url, { signal, lookup, agent: false, headers }, resolve).once('error', reject).end();
  });
}

async function* piecesOf(
  response: IncomingMessage,
  options: FetchInputOptions,
  signal: AbortSignal,
  bounded: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  try {
    for await (const piece of response) {
      sizeBytes += (piece as Uint8Array).length;
      if (sizeBytes > options.limitBytes) throw tooLarge(options);
      yield piece as Uint8Array;
    }
    if (!response.complete) throw new ShoalError('input.corrupt', 'the connection ended in the middle of the file');
  } catch (thrown) {
    throw explain(thrown, options, signal, bounded);
  } finally {
    response.destroy();
  }
}

function tooLarge({ limitBytes }: FetchInputOptions): ShoalError {
  return new ShoalError('input.too-large', `the file at the URL is larger than ${limitBytes} bytes`, { limitBytes });
}

function explain(
  thrown: unknown,
  { timeoutMs }: FetchInputOptions,
  signal: AbortSignal,
  bounded: AbortSignal,
): unknown {
  if (thrown instanceof ShoalError) return thrown;
  if (signal.aborted) return signal.reason;
  if (bounded.aborted) {
    return new ShoalError('timeout', `the URL did not give the whole file within ${timeoutMs} ms`, { timeoutMs });
  }
  const { code, message } = thrown as NodeJS.ErrnoException;
  const facts = { field };
  return new ShoalError('net.unreachable', `the URL cannot be fetched: ${code ?? message}`, facts, { cause: thrown });
}
