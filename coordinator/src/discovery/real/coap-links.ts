import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { ShoalError } from '@shoal/protocol';
import coap from 'coap';
import type { Group } from '../index.ts';

const pathname = '/.well-known/core';
/** What is heard of one server in all: its list in small blocks. */
const mostBytes = 256 << 10;

/**
 * A GET to a group (RFC 7252 §8.1): not confirmable, once. Who answers is asked alone for the rest: a list of several blocks comes to one who asks
 * for each of them, and the `coap` package does not put such an answer to a group together.
 */
export function askForLinks(socket: Socket, { address, port }: Group, token: Buffer): void {
  const agent = new coap.Agent({ socket: sendOnly(socket) });
  const request = agent.request({ host: address, port, pathname, multicast: true, token });
  request.on('error', () => {});
  request.end();
  // It counts on answers that go elsewhere here.
  clearTimeout(request.multicastTimer);
  request.sender.reset();
}

/** Whether a datagram is a message of CoAP with that token (RFC 7252 §3). */
export function repliesTo(bytes: Buffer, token: Buffer): boolean {
  const [first = 0] = bytes;
  return first >> 6 === 1 && (first & 0xf) === token.length && bytes.subarray(4, 4 + token.length).equals(token);
}

/** @throws `net.unreachable`, `message.malformed`, `message.too-large` */
export async function readLinks({ address, port }: Group, signal: AbortSignal): Promise<string> {
  const socket = new GuardedSocket(mostBytes);
  const agent = new coap.Agent({ socket: socket.asSocket() });
  try {
    return await new Promise((resolve, reject) => {
      const request = agent.request({ host: address, port, pathname });
      const fail = () => reject(new ShoalError('net.unreachable', 'the server does not answer'));
      signal.addEventListener('abort', fail, { once: true });
      socket.onRefused = reject;
      agent.on('error', fail);
      request.on('error', fail);
      request.on('timeout', fail);
      request.on('response', ({ code, payload }) => {
        if (code === '2.05') resolve(payload.toString('utf8'));
        else reject(new ShoalError('message.malformed', `the server answered ${code}`));
      });
      request.end();
    });
  } finally {
    agent.on('error', () => {});
    agent.close();
    socket.close();
  }
}

/** For an agent that only sends. */
function sendOnly(socket: Socket): Socket {
  const stands = Object.assign(new EventEmitter(), {
    type: 'udp4',
    address: () => socket.address(),
    send: (bytes: Uint8Array, offset: number, length: number, port: number, host: string) =>
      socket.send(bytes, offset, length, port, host, () => {}),
  });
  return stands as unknown as Socket;
}

/**
 * The socket of an agent that talks with a stranger: hears only so much, and what the package throws over a datagram ends the talk and not
 * the process.
 */
class GuardedSocket extends EventEmitter {
  readonly type = 'udp4';
  readonly #socket = createSocket('udp4');
  #left: number;
  #isOpen = true;
  onRefused: (why: ShoalError) => void = () => {};

  constructor(bytes: number) {
    super();
    this.#left = bytes;
    this.#socket.on('error', () => {});
    this.#socket.on('message', (message, from) => {
      this.#left -= message.length;
      if (this.#left < 0) {
        this.#refuse(new ShoalError('message.too-large', `the server tells more than ${bytes} bytes`));
        return;
      }
      try {
        this.emit('message', message, from);
      } catch (error) {
        this.#refuse(new ShoalError('message.malformed', 'the server does not speak CoAP', {}, { cause: error }));
      }
    });
  }

  /** As much of a socket as an agent uses. */
  asSocket(): Socket {
    return this as unknown as Socket;
  }

  address() {
    return this.#socket.address();
  }

  send(bytes: Uint8Array, offset: number, length: number, port: number, host: string, done: () => void): void {
    if (this.#isOpen) this.#socket.send(bytes, offset, length, port, host, () => done());
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.removeAllListeners();
    this.#socket.close();
  }

  #refuse(why: ShoalError): void {
    this.onRefused(why);
    this.close();
  }
}
