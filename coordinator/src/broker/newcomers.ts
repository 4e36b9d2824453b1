import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@shoal/protocol';

export interface NewcomerLimits {
  /** Until the device must have said who it is, ms: whatever TLS, HTTP and MQTT have to say before. */
  readonly helloTimeoutMs: number;
  /** What may come from a WebSocket until then, bytes: a message is collected whole before MQTT sees any of it. */
  readonly firstBytes: number;
}

/** Sockets whose peers nobody has let in yet: they get little time and little memory. */
export class Newcomers {
  readonly #clock: Clock;
  readonly #limits: NewcomerLimits;
  readonly #waiting = new Map<Socket, () => void>();
  readonly #socketOf = new WeakMap<Duplex, Socket>();

  constructor(clock: Clock, limits: NewcomerLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  add(socket: Socket): void {
    const cancel = this.#clock.after('mqtt: hello', this.#limits.helloTimeoutMs, () => socket.destroy());
    this.#waiting.set(socket, cancel);
  }

  /** MQTT begins on this stream, which is the socket's. */
  begin(stream: Duplex, socket: Socket): void {
    if (stream !== socket) this.#socketOf.set(stream, socket);
  }

  /** It has said who it is: from now on it waits for the broker, not the broker for it. */
  heard(stream: Duplex): void {
    const socket = this.#socketBelow(stream);
    this.#waiting.get(socket)?.();
    if (this.#waiting.has(socket)) this.#waiting.set(socket, notTimed);
  }

  admit(stream: Duplex): void {
    this.remove(this.#socketBelow(stream));
  }

  /** Cuts the socket when more comes than an upgrade and a CONNECT take, before its peer was let in. */
  limit(below: Duplex, socket: Socket): void {
    let left = this.#limits.firstBytes;
    const push = below.push.bind(below);
    below.push = (chunk: Buffer | null) => {
      if (left > 0 && this.#waiting.has(socket)) {
        left -= chunk?.length ?? 0;
        if (left <= 0) {
          socket.destroy();
          return false;
        }
      }
      return push(chunk);
    };
  }

  /** The socket has ended, or its peer was let in. */
  remove(socket: Socket): void {
    this.#waiting.get(socket)?.();
    this.#waiting.delete(socket);
  }

  #socketBelow(stream: Duplex): Socket {
    return this.#socketOf.get(stream) ?? (stream as Socket);
  }
}

function notTimed(): void {}
