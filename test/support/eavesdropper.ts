import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Somebody on the wire between devices and a port of loopback, who hears every byte in either direction and changes none. */
export class Eavesdropper implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #heard: Buffer[] = [];

  private constructor(targetPort: number) {
    this.#server = createServer((from) => {
      const to = connect(targetPort, '127.0.0.1');
      for (const [socket, other] of [
        [from, to],
        [to, from],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('data', (bytes) => {
          this.#heard.push(bytes);
          other.write(bytes);
        });
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  static async before(targetPort: number): Promise<Eavesdropper> {
    const eavesdropper = new Eavesdropper(targetPort);
    eavesdropper.#server.listen(0, '127.0.0.1');
    await once(eavesdropper.#server, 'listening');
    return eavesdropper;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whether it was said, in one piece, since the beginning. */
  heard(text: string): boolean {
    return Buffer.concat(this.#heard).includes(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
