import type { Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { ShoalError } from '../../errors/index.ts';
import type { CoapAddress } from './coap-address.ts';
import { closeSocket, createUdpSocket } from './udp-socket.ts';

interface Listeners {
  onMessage(datagram: Buffer): void;
  /** Nobody listens there, or what was to be sent could not be. */
  onTrouble(error: Error): void;
}

/**
 * A UDP socket that hears and reaches one address alone. The kernel drops what others send, and says when nobody listens there; a name is looked up once and
 * not for each datagram.
 */
export class ConnectedSocket {
  readonly #socket: Socket;
  #closing: Promise<void> | undefined;

  /** @throws `net.unreachable` when the name is not known, or there is no way to the address. */
  static async open(address: CoapAddress, listeners: Listeners): Promise<ConnectedSocket> {
    try {
      const { address: ip, family } = await lookup(address.host);
      const socket = createUdpSocket(family === 6 ? 6 : 4);
      const failure = await new Promise<unknown>((resolve) => socket.connect(address.port, ip, resolve as () => void));
      if (failure) {
        await closeSocket(socket);
        throw failure;
      }
      return new ConnectedSocket(socket, listeners);
    } catch (cause) {
      throw new ShoalError(
        'net.unreachable',
        `no way to ${address.text}: ${cause instanceof Error ? cause.message : cause}`,
        {},
        { cause },
      );
    }
  }

  private constructor(socket: Socket, { onMessage, onTrouble }: Listeners) {
    this.#socket = socket;
    socket.on('message', onMessage);
    socket.on('error', onTrouble);
  }

  /** After {@link close} it goes nowhere. */
  send(datagram: Buffer): void {
    if (!this.#closing) this.#socket.send(datagram);
  }

  close(): Promise<void> {
    this.#closing ??= closeSocket(this.#socket);
    return this.#closing;
  }
}
