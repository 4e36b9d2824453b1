import { open, rm, stat } from 'node:fs/promises';
import { asShoalError, type Clock, isShoalError, type Random, retry, ShoalError } from '@shoal/protocol';
import type { FetchOptions } from './progress.ts';
import { stopped } from './shared-work.ts';

/** A server that sends nothing for so long is given up, and asked again. */
const idleTimeoutMs = 30_000;
const backoff = { firstMs: 500, maxMs: 10_000, factor: 2 };
const attempts = 5;
const maxRedirects = 5;

export interface DownloadDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: typeof globalThis.fetch;
}

export interface Download {
  /** For a person: what it is. */
  readonly name: string;
  readonly url: URL;
  /** Which addresses a redirect may lead to. Throws for others. */
  readonly checkUrl: (url: string) => URL;
  /** Grows while the bytes arrive, and is continued when it is there already. */
  readonly partPath: string;
  /** Known size; without it, the most that is taken. */
  readonly size: { readonly exactBytes: number } | { readonly maxBytes: number };
}

/**
 * Fetches a file over HTTP into `partPath`. A cut is continued where it happened (Range, RFC 9110 §14), at once by a retry or
 * the next time. The caller checks the digest.
 * @returns whether bytes of an earlier call are part of the file, which are then as suspicious as the new ones.
 * @throws `net.unreachable`, `timeout`, `not-found`, `model.digest` (wrong size), `input.too-large`, `io.disk-full`, `aborted`.
 */
export async function download(
  deps: DownloadDeps,
  request: Download,
  options: FetchOptions,
): Promise<{ resumed: boolean }> {
  const resumed = (await sizeOf(request.partPath)) > 0;
  try {
    const failure = await retry(deps, { name: 'download', backoff, attempts, signal: options.signal }, () =>
      attempt(deps, request, options).catch(lastingFailure),
    );
    if (failure) throw failure;
    return { resumed };
  } catch (error) {
    if (options.signal.aborted) throw stopped(options.signal);
    throw error;
  }
}

/** What a second request right away does not mend is handed on instead of thrown. */
function lastingFailure(error: unknown): unknown {
  if (isShoalError(error, 'io.disk-full') || isShoalError(error, 'io.failed')) return error;
  throw error;
}

async function attempt(deps: DownloadDeps, request: Download, options: FetchOptions): Promise<void> {
  const { size } = request;
  let have = await sizeOf(request.partPath);
  if ('exactBytes' in size && have >= size.exactBytes) {
    if (have === size.exactBytes) return;
    await rm(request.partPath, { force: true });
    have = 0;
  }
  const idle = new AbortController();
  const signal = AbortSignal.any([options.signal, idle.signal]);
  const startIdleTimer = () =>
    deps.clock.after('idle download', idleTimeoutMs, () => {
      idle.abort(
        new ShoalError(
          'timeout',
          `${request.name}: ${request.url.host} has sent nothing for ${idleTimeoutMs / 1_000} s`,
        ),
      );
    });
  let stopIdleTimer = startIdleTimer();
  const file = await openPart(request.partPath);
  try {
    const response = await ask(deps, request, have, signal);
    const at = startOf(response, have);
    if (at !== have) await file.truncate(at ?? 0);
    if (at === undefined) throw cut(request, 0, have);
    const totalBytes = 'exactBytes' in size ? size.exactBytes : totalOf(response, at);
    let receivedBytes = at;
    for await (const chunk of response.body ?? []) {
      stopIdleTimer();
      stopIdleTimer = startIdleTimer();
      receivedBytes += chunk.length;
      checkSize(request, receivedBytes);
      await file.write(chunk, 0, chunk.length, receivedBytes - chunk.length);
      options.onProgress?.({ name: request.name, receivedBytes, ...(totalBytes === undefined ? {} : { totalBytes }) });
    }
    if (totalBytes !== undefined && receivedBytes < totalBytes) throw cut(request, receivedBytes, totalBytes);
  } catch (error) {
    throw await explained(error, request, idle.signal);
  } finally {
    stopIdleTimer();
    await file.close();
  }
}

/** Opens for writing at any place, without cutting off what is there. */
async function openPart(path: string) {
  return open(path, 'r+').catch(() => open(path, 'w'));
}

async function ask(deps: DownloadDeps, request: Download, have: number, signal: AbortSignal): Promise<Response> {
  let { url } = request;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const headers = { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) };
    const response = await deps.fetch(url, { headers, signal, redirect: 'manual' });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return answered(response, request);
    await response.body?.cancel();
    url = request.checkUrl(new URL(location, url).href);
  }
  throw new ShoalError('not-found', `${request.name}: ${request.url.host} redirects more than ${maxRedirects} times`);
}

async function answered(response: Response, request: Download): Promise<Response> {
  if (response.status === 200 || response.status === 206 || response.status === 416) return response;
  await response.body?.cancel();
  const facts = { name: request.name, status: response.status };
  if (response.status >= 500 || response.status === 429 || response.status === 408) {
    throw new ShoalError(
      'net.unreachable',
      `${request.name}: ${request.url.host} answers ${response.status}; try again later`,
      facts,
    );
  }
  throw new ShoalError(
    'not-found',
    `${request.name} is not there: ${request.url.host} answers ${response.status}`,
    facts,
  );
}

/** Where in the file the answer's first byte belongs; `undefined` when the server will not continue from where we are. */
function startOf(response: Response, have: number): number | undefined {
  if (response.status === 200) return 0;
  const [, start] = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '') ?? [];
  return response.status === 206 && Number(start) === have ? have : undefined;
}

function totalOf(response: Response, at: number): number | undefined {
  const length = response.headers.get('content-length');
  return length === null ? undefined : at + Number(length);
}

function checkSize({ name, size }: Download, receivedBytes: number): void {
  if ('exactBytes' in size && receivedBytes > size.exactBytes) {
    throw new ShoalError(
      'model.digest',
      `${name} is larger than the ${size.exactBytes} bytes it should have. It was not kept`,
      {
        name,
        expectedBytes: size.exactBytes,
      },
    );
  }
  if ('maxBytes' in size && receivedBytes > size.maxBytes) {
    throw new ShoalError('input.too-large', `${name} is larger than the limit of ${size.maxBytes} bytes`, {
      name,
      maxBytes: size.maxBytes,
    });
  }
}

function cut({ name, url }: Download, receivedBytes: number, totalBytes: number): ShoalError {
  return new ShoalError(
    'net.unreachable',
    `${name}: ${url.host} stopped after ${receivedBytes} of ${totalBytes} bytes`,
    { name, receivedBytes },
  );
}

const unusable: ReadonlySet<string> = new Set(['model.digest', 'input.too-large', 'io.disk-full']);

/** The failure in words that say what to do; what cannot be continued from is removed. */
async function explained(thrown: unknown, { name, url, partPath }: Download, idle: AbortSignal): Promise<ShoalError> {
  if (idle.aborted) return asShoalError(idle.reason);
  const error = asShoalError(thrown, 'io.failed');
  // A full disk is not left full: the part would be in the way of others.
  if (unusable.has(error.code)) await rm(partPath, { force: true });
  if (thrown instanceof TypeError) {
    // What fetch throws for any trouble on the way; the reason is its cause.
    const reason = thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
    return new ShoalError(
      'net.unreachable',
      `${name} cannot be fetched from ${url.host} (${reason}): check the network; what has arrived is kept and continued`,
      { name, host: url.host },
      { cause: thrown },
    );
  }
  return error;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
