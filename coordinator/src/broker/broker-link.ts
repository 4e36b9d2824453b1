import {
  type Clock,
  type Link,
  type LinkListener,
  LinkListeners,
  type LinkTraits,
  type PeerId,
  roleOf,
  ShoalError,
} from '@shoal/protocol';
import { encodePublishHeader, parseTopic, topicFilters, topicsOf, writeFrame } from '@shoal/protocol/mqtt';
import type { Aedes, AedesPublishPacket, Client } from 'aedes';
import { Turnstile } from './turnstile.ts';

/**
 * Frames that are handled in one turn of the event loop, some 10 ms of work; others wait for the next. When thousands of sockets can be read, Node would
 * read tens of thousands of times in a row (libuv's `uv__io_poll`), for many seconds, and all that time no answer would leave: they leave at the end of a turn.
 */
const framesPerTurn = 32;

export interface BrokerLinkOptions {
  readonly clock: Clock;
  readonly prefix: string;
  /** Who belongs to the fleet. */
  readonly isMember: (device: PeerId) => boolean;
  readonly limits: {
    readonly maxFrameBytes: number;
    readonly maxBufferedBytes: number;
    readonly drainTimeoutMs: number;
  };
}

/**
 * The coordinator's end of its own broker. A frame for a device is written to that device's socket, and a frame from one comes as the broker
 * reads it: no client, no second socket and no copy in between.
 */
export class BrokerLink implements Link {
  readonly kind = 'mqtt';
  readonly name = 'mqtt-broker-link';
  readonly traits: LinkTraits;
  readonly #options: BrokerLinkOptions;
  readonly #listeners = new LinkListeners();
  /** Devices that are subscribed to what is said to them. */
  readonly #devices = new Map<PeerId, Client>();
  /** All that were let in, those included that have not subscribed. */
  readonly #clients = new Map<PeerId, Client>();
  readonly #intake: Turnstile;
  #aedes: Aedes | undefined;
  #state: 'idle' | 'started' | 'stopped' = 'idle';

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
    this.#intake = new Turnstile(options.clock, framesPerTurn);
    // A slow device is cut off, its frames are not dropped one by one: what `send` took arrives unless the connection breaks.
    this.traits = { maxFrameBytes: options.limits.maxFrameBytes, reliable: true, ordered: true, duplex: true };
  }

  /** The broker runs. */
  attach(aedes: Aedes): void {
    this.#aedes = aedes;
    aedes.subscribe(topicFilters(this.#options.prefix).up, this.#onPublish, () => {});
    aedes.on('subscribe', (subscriptions, client) => {
      if (subscriptions.some(({ topic, qos }) => qos < 0x80 && topic === this.#downTopic(client.id))) this.#add(client);
    });
    aedes.on('unsubscribe', (topics, client) => {
      if (topics.includes(this.#downTopic(client.id))) this.#remove(client);
    });
    aedes.on('clientDisconnect', (client) => {
      const isBack = (this.#clients.get(client.id) ?? client) !== client;
      if (!isBack && roleOf(client.id) === 'device' && !this.#options.isMember(client.id)) this.#forget(client.id);
      this.#remove(client);
    });
  }

  /** The broker is about to stop. */
  detach(): void {
    this.#aedes = undefined;
    for (const client of [...this.#devices.values()]) this.#remove(client);
  }

  /** A device was let in. To be told before the broker makes room for it, which it does while an older connection of the device still ends. */
  admit(client: Client): void {
    this.#clients.set(client.id, client);
    client.conn.once('close', () => {
      // A device that connects again takes the place of its old connection, which may end later.
      if (this.#clients.get(client.id) === client) this.#clients.delete(client.id);
    });
  }

  /** The connection that a device has. */
  clientOf(device: PeerId): Client | undefined {
    return this.#clients.get(device);
  }

  /** Ends the connection of a device. It may come back: who it is, the coordinator looks at with each frame. */
  cut(device: PeerId): void {
    this.#forget(device);
    this.#devices.get(device)?.close();
    this.#clients.get(device)?.close();
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#state === 'stopped') throw new ShoalError('closed', `${this.name} was stopped`);
    this.#state = 'started';
    for (const device of this.#devices.keys()) this.#listeners.peer(device, true);
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#listeners.clear();
  }

  async send(to: PeerId, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#state !== 'started') throw new ShoalError('closed', `${this.name} is not started`);
    const { maxFrameBytes, maxBufferedBytes, drainTimeoutMs } = this.#options.limits;
    if (frame.length > maxFrameBytes) {
      throw new ShoalError('message.too-large', `a frame of ${frame.length} bytes; this link takes ${maxFrameBytes}`);
    }
    const client = this.#devices.get(to);
    if (!this.#aedes || !client) throw new ShoalError('net.unreachable', `${to} is not connected`, { peer: to });
    const sent = writeFrame(client.conn, encodePublishHeader(this.#downTopic(to), frame.length), frame, {
      maxBufferedBytes,
      signal,
    });
    const cancel =
      client.conn.writableNeedDrain &&
      this.#options.clock.after(`mqtt: ${to} reads`, drainTimeoutMs, () => {
        client.conn.destroy(
          new ShoalError('timeout', `${to} did not read what waits for it within ${drainTimeoutMs} ms`),
        );
      });
    try {
      await sent;
    } finally {
      if (cancel) cancel();
    }
  }

  subscribe(listener: LinkListener): () => void {
    return this.#listeners.add(listener);
  }

  readonly #onPublish = ({ topic, payload }: AedesPublishPacket, done: () => void): void => {
    const parsed = parseTopic(this.#options.prefix, topic);
    if (parsed?.kind !== 'up') {
      done();
      return;
    }
    // Nothing more is read of this device until it is done.
    this.#intake.enter(() => {
      if (this.#state === 'started')
        this.#listeners.frame(typeof payload === 'string' ? Buffer.from(payload) : payload, parsed.device);
      done();
    });
  };

  /** Nothing is known any more of whether it is there. */
  #forget(device: PeerId): void {
    const { available: topic } = topicsOf(this.#options.prefix, device);
    const packet = { cmd: 'publish', topic, payload: Buffer.alloc(0), retain: true, qos: 0, dup: false } as const;
    this.#aedes?.publish(packet, () => {});
  }

  #add(client: Client): void {
    this.#devices.set(client.id, client);
    client.conn.setMaxListeners(0);
    this.#listeners.peer(client.id, true);
  }

  #remove(client: Client): void {
    if (this.#devices.get(client.id) !== client) return;
    this.#devices.delete(client.id);
    this.#listeners.peer(client.id, false);
  }

  #downTopic(device: PeerId): string {
    return topicsOf(this.#options.prefix, device).down;
  }
}
