import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FileServer {
  readonly url: string;
  /** Requests so far, as `GET /path` or `GET /path bytes=10-`. */
  readonly requests: string[];
  /** What happens to the next request, instead of the plain answer; then the one after. */
  readonly next: ((request: IncomingMessage, response: ServerResponse) => void)[];
  close(): Promise<void>;
}

/** A real HTTP server on loopback that knows Range, and can be told to misbehave. */
export async function startFileServer(files: Readonly<Record<string, Uint8Array>>): Promise<FileServer> {
  const requests: string[] = [];
  const next: FileServer['next'] = [];
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '));
    const special = next.shift();
    if (special) special(request, response);
    else answer(files[request.url ?? ''], request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    next,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export function answer(file: Uint8Array | undefined, request: IncomingMessage, response: ServerResponse): void {
  const start = startOf(request);
  if (!file) response.writeHead(404).end();
  else if (start === undefined) response.writeHead(200, { 'content-length': file.length }).end(file);
  else if (start >= file.length) response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
  else {
    const rest = file.subarray(start);
    response
      .writeHead(206, {
        'content-length': rest.length,
        'content-range': `bytes ${start}-${file.length - 1}/${file.length}`,
      })
      .end(rest);
  }
}

/** Answers with a part of the rest of the file and no more, until the connection is cut. */
export function partOnly(file: Uint8Array, bytes: number) {
  let cut = () => {};
  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    const start = startOf(request) ?? 0;
    const range = start > 0 ? { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': file.length - start, ...range });
    response.write(file.subarray(start, start + bytes));
    cut = () => response.destroy();
  };
  return { handler, cut: () => cut() };
}

function startOf(request: IncomingMessage): number | undefined {
  const [, start] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
  return start === undefined ? undefined : Number(start);
}
