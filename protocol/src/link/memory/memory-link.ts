import { ShoalError } from '../../errors/index.ts';
import type { PeerId } from '../../identity/index.ts';
import type { Clock } from '../../runtime/index.ts';
import type { Link, LinkListener, LinkTraits } from '../link.ts';
import { LinkListeners } from '../link-listeners.ts';

export interface MemoryHubOptions {
  readonly maxFrameBytes?: number;
  /** One-way delay of a frame, ms; a frame may also be lost (`undefined`) or doubled (two delays). Default: one, at once. */
  readonly route?: (from: PeerId, to: PeerId, sizeBytes: number) => readonly number[];
  /** Frames on their way to one peer before `send` refuses with `queue.full`. */
  readonly inFlightLimit?: number;
}

/** Frames are copied into pieces of memory of this size: to allocate each of them costs more than all else that is done with it here. */
const roomBytes = 1 << 16;

/**
 * The network of a simulated world or a test: links in one process that meet here. A real implementation of {@link Link}, which passes the
 * same conformance suite as the others; what it loses, delays or doubles is decided by `route`.
 */
export class MemoryHub {
  readonly #clock: Clock;
  readonly #options: Required<MemoryHubOptions>;
  readonly #links = new Map<PeerId, MemoryLink>();
  readonly #inFlight = new Map<PeerId, number>();
  /** Room for copies. */
  #room = new Uint8Array();

  constructor(clock: Clock, options: MemoryHubOptions = {}) {
    this.#clock = clock;
    this.#options = { maxFrameBytes: 1 << 20, route: () => [0], inFlightLimit: 10_000, ...options };
  }

  /** A link for one peer; it can be reached by the others once it is started. */
  link(self: PeerId): Link {
    return new MemoryLink(this, self, this.#options.maxFrameBytes);
  }

  attach(link: MemoryLink): void {
    this.#links.set(link.self, link);
    for (const other of this.#links.values()) {
      if (other === link) continue;
      other.listeners.peer(link.self, true);
      link.listeners.peer(other.self, true);
    }
  }

  detach(link: MemoryLink): void {
    if (this.#links.get(link.self) !== link) return;
    this.#links.delete(link.self);
    for (const other of this.#links.values()) other.listeners.peer(link.self, false);
  }

  carry(from: PeerId, to: PeerId, frame: Uint8Array): void {
    if (!this.#links.has(to)) throw new ShoalError('net.unreachable', `${to} is not connected`, { peer: to });
    const waiting = this.#inFlight.get(to) ?? 0;
    if (waiting >= this.#options.inFlightLimit)
      throw new ShoalError('queue.full', `${waiting} frames wait for ${to}`, { peer: to });
    // A sender may reuse its buffer as soon as `send` resolves, as it may with a socket.
    const copy = this.#copied(frame);
    for (const delayMs of this.#options.route(from, to, frame.length)) {
      this.#inFlight.set(to, (this.#inFlight.get(to) ?? 0) + 1);
      const name = `memory-link ${from} -> ${to}`;
      const arrive = () => {
        const left = (this.#inFlight.get(to) ?? 1) - 1;
        if (left > 0) this.#inFlight.set(to, left);
        else this.#inFlight.delete(to);
        this.#links.get(to)?.listeners.frame(copy, from);
      };
      // A real timer takes a millisecond at the least.
      if (delayMs > 0) this.#clock.after(name, delayMs, arrive);
      else this.#clock.soon(name, arrive);
    }
  }

  #copied(frame: Uint8Array): Uint8Array {
    const { length } = frame;
    if (length > this.#room.length) this.#room = new Uint8Array(Math.max(length, roomBytes));
    const copy = this.#room.subarray(0, length);
    copy.set(frame);
    this.#room = this.#room.subarray(length);
    return copy;
  }
}

class MemoryLink implements Link {
  readonly kind = 'memory';
  readonly name: string;
  readonly traits: LinkTraits;
  readonly self: PeerId;
  readonly listeners = new LinkListeners();
  readonly #hub: MemoryHub;
  #started = false;

  constructor(hub: MemoryHub, self: PeerId, maxFrameBytes: number) {
    this.#hub = hub;
    this.self = self;
    this.name = `memory-link ${self}`;
    this.traits = { maxFrameBytes, reliable: false, ordered: false, duplex: true };
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#started = true;
    this.#hub.attach(this);
  }

  async stop(): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    this.#hub.detach(this);
  }

  async send(to: PeerId, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#started) throw new ShoalError('closed', `${this.name} is not started`);
    if (frame.length > this.traits.maxFrameBytes) {
      throw new ShoalError(
        'message.too-large',
        `a frame of ${frame.length} bytes; this link takes ${this.traits.maxFrameBytes}`,
      );
    }
    this.#hub.carry(this.self, to, frame);
  }

  subscribe(listener: LinkListener): () => void {
    return this.listeners.add(listener);
  }
}
