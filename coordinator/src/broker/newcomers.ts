import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@shoal/protocol';

export interface NewcomerLimits {
  /** Until the broker must have accepted the device, ms: whatever TLS, HTTP and MQTT have to say before. */
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
    socket.once('close', () => this.#remove(socket));
  }

  /** MQTT begins on this stream, which is the socket's. */
  begin(stream: Duplex, socket: Socket): void {
    if (stream !== socket) this.#socketOf.set(stream, socket);
  }

  admit(stream: Duplex): void {
    this.#remove(this.#socketOf.get(stream) ?? (stream as Socket));
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

  #remove(socket: Socket): void {
    this.#waiting.get(socket)?.();
    this.#waiting.delete(socket);
  }
}
