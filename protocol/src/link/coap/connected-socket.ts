import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { EventEmitter } from 'node:events';
import { ShoalError } from '../../errors/index.ts';
import type { CoapAddress } from './coap-address.ts';

/**
 * A UDP socket that hears and reaches one address alone, in the shape that the `coap` package expects. The kernel drops what others send, and says when
 * nobody listens there; a name is looked up once and not for each datagram.
 */
export class ConnectedSocket extends EventEmitter {
  readonly #socket: Socket;
  readonly #onTrouble: (error: Error) => void;
  #closed = false;

  /** @throws `net.unreachable` when the name is not known, or there is no way to the address. */
  static async open(address: CoapAddress, onTrouble: (error: Error) => void): Promise<ConnectedSocket> {
    try {
      const { address: ip, family } = await lookup(address.host);
      const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.connect(address.port, ip, () => {
          socket.off('error', reject);
          resolve();
        });
      });
      return new ConnectedSocket(socket, onTrouble);
    } catch (cause) {
      throw new ShoalError(
        'net.unreachable',
        `no way to ${address.text}: ${cause instanceof Error ? cause.message : cause}`,
        {},
        { cause },
      );
    }
  }

  private constructor(socket: Socket, onTrouble: (error: Error) => void) {
    super();
    this.#socket = socket;
    this.#onTrouble = onTrouble;
    socket.on('message', (message, sender) => this.emit('message', message, sender));
    socket.on('error', onTrouble);
  }

  get type(): 'udp4' | 'udp6' {
    return this.#socket.address().family === 'IPv6' ? 'udp6' : 'udp4';
  }

  address(): ReturnType<Socket['address']> {
    return this.#socket.address();
  }

  /** What cannot be sent is told to `onTrouble`: the package would throw it where nobody catches it. */
  send(message: Buffer, _offset: number, _length: number, _port: number, _host: string, done: () => void): void {
    if (!this.#closed) this.#socket.send(message, (error) => error && this.#onTrouble(error));
    done();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}
