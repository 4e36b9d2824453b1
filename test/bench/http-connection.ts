import { connect, type Socket } from 'node:net';

/** A keep-alive connection that asks one thing at a time and reads answers that say how long they are. */
export class HttpConnection {
  readonly #socket: Socket;
  #received = '';
  #settle: { resolve(response: string): void; reject(error: Error): void } | undefined;

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#receive(text));
    this.#socket.on('error', (error) => this.#settle?.reject(error));
    this.#socket.on('close', () => this.#settle?.reject(new Error('the connection was closed')));
  }

  /** @param request head and body. @returns head and body of the answer. */
  ask(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(request);
    });
  }

  end(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    const length = /^content-length: (\d+)/im.exec(this.#received)?.[1];
    if (headEnd < 0 || length === undefined || this.#received.length < headEnd + 4 + Number(length)) return;
    const response = this.#received;
    this.#received = '';
    this.#settle?.resolve(response);
  }
}
