import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

type Answer = number | ((response: ServerResponse) => void);

/** Somebody's HTTP server: what it got, and how it answers. */
export interface Receiver {
  readonly url: string;
  readonly got: Received[];
  /** Requests that came, and how many of them at most were open at the same time. */
  readonly mostOpen: () => number;
  /** To every request from now on; 204 unless told. */
  answer(answer: Answer): void;
  /** Nobody is there any more, until {@link Receiver.comeBack}. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

export async function aReceiver(): Promise<Receiver> {
  const got: Received[] = [];
  let answer: Answer = 204;
  let open = 0;
  let mostOpen = 0;
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    response.once('close', () => {
      open -= 1;
    });
    let text = '';
    for await (const piece of request) text += piece;
    got.push({ path: request.url ?? '', headers: request.headers, text });
    if (typeof answer === 'number') response.writeHead(answer).end();
    else answer(response);
  };
  const listen = (port: number) =>
    new Promise<ReturnType<typeof createServer>>((resolve) => {
      const server = createServer((request, response) => void take(request, response).catch(() => response.destroy()));
      server.unref();
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    got,
    mostOpen: () => mostOpen,
    answer: (next) => {
      answer = next;
    },
    goAway: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    comeBack: async () => {
      server = await listen(port);
    },
  };
}
