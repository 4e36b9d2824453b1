import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isShoalError, ShoalError } from '@shoal/protocol';
import { parseCallersUrl, pinnedTo, resolveCallersUrl } from '../../outbound/real/index.ts';
import type { WebhookRequest, WebhookSender } from '../sender.ts';

export interface WebhookSenderOptions {
  /** Lets webhooks reach this machine and its network. */
  readonly allowPrivateAddresses: boolean;
}

/** Of an answer; what comes after is not waited for. Only the status counts. */
const mostAnswerBytes = 64 << 10;

/**
 * Sends webhooks over HTTP. The name is resolved for each request, every address is checked, and exactly those are connected to. No redirects, no proxy,
 * no cookies; certificates are checked.
 */
export function createWebhookSender({ allowPrivateAddresses }: WebhookSenderOptions): WebhookSender {
  const resolution = {
    allowPrivateAddresses,
    field: 'url',
    instead: 'start the coordinator with --allow-private-urls to let webhooks reach it',
  };
  return {
    async check(text) {
      const url = parseCallersUrl(text, 'url');
      await resolveCallersUrl(url, resolution).catch((error: unknown) => {
        if (isShoalError(error)) throw error;
      });
    },
    async post(request, signal) {
      const url = parseCallersUrl(request.url, 'url');
      try {
        const addresses = await unlessAborted(resolveCallersUrl(url, resolution), signal);
        const response = await send(url, pinnedTo(addresses), request, signal);
        await readOut(response);
        return response.statusCode ?? 0;
      } catch (thrown) {
        throw explain(thrown, url, signal);
      }
    },
  };
}

function send(
  url: URL,
  lookup: ReturnType<typeof pinnedTo>,
  { headers, body }: WebhookRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const all = { 'user-agent': 'shoal', 'content-length': Buffer.byteLength(body), ...headers };
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', signal, lookup, agent: false, headers: all }, resolve)
      .once('error', reject)
      .end(body);
  });
}

/** A question to a name server cannot be taken back, but it need not be waited for. */
async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  const over = Promise.withResolvers<never>();
  const abort = () => over.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([promise, over.promise]).finally(() => signal.removeEventListener('abort', abort));
}

/** So that a receiver which writes an answer is not cut off in the middle of it. It has the last word by its status, whatever follows. */
async function readOut(response: IncomingMessage): Promise<void> {
  let sizeBytes = 0;
  try {
    for await (const piece of response) {
      sizeBytes += (piece as Uint8Array).length;
      if (sizeBytes > mostAnswerBytes) return;
    }
  } catch {
    // It was cut off after its status.
  } finally {
    response.destroy();
  }
}

/** Messages of Node may hold the URL. */
function explain(thrown: unknown, { origin }: URL, signal: AbortSignal): unknown {
  if (isShoalError(thrown)) return thrown;
  if (signal.aborted) return signal.reason;
  const why = (thrown as NodeJS.ErrnoException).code ?? 'the connection failed';
  return new ShoalError('net.unreachable', `${origin} cannot be reached: ${why}`, { origin }, { cause: thrown });
}
