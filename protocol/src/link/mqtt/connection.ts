import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { MqttClient, Packet } from 'mqtt';
import { asShoalError, ShoalError } from '../../errors/index.ts';
import type { PeerId } from '../../identity/index.ts';
import type { Clock } from '../../runtime/index.ts';
import { drained, requireRoom } from './back-pressure.ts';
import type { BrokerAddress } from './broker-address.ts';
import { guardPackets } from './guard-packets.ts';
import { keepAliveTimer } from './keep-alive-timer.ts';
import { loadTransport, type Transport } from './open-socket.ts';
import { packetOverheadBytes } from './packet-bytes.ts';

export interface ConnectionOptions {
  readonly address: BrokerAddress;
  /** May vouch for the broker's certificate. */
  readonly coordinator: PeerId;
  readonly clientId: string;
  readonly username?: string | undefined;
  /** Made when it is needed: one that proves a key is a signature, and a broker that is away is tried often. */
  readonly password?: () => string | undefined;
  readonly keepAliveS: number;
  /** What the broker publishes, retained, when this client is cut off. */
  readonly will?: { readonly topic: string; readonly payload: string } | undefined;
  /** Until there is a connection (and TLS on it), ms. */
  readonly connectTimeoutMs: number;
  /** From then on, until the broker has accepted or refused, ms. */
  readonly acceptTimeoutMs: number;
  readonly maxFrameBytes: number;
  /** Bytes that may wait for the broker to read them before `publish` refuses. */
  readonly maxBufferedBytes: number;
  onMessage(topic: string, payload: Buffer): void;
}

/**
 * One connection to a broker through MQTT.js, from the first byte to the last. It is not opened twice: a session opens another, with credentials
 * made for it.
 */
export class MqttConnection {
  readonly #clock: Clock;
  readonly #options: ConnectionOptions;
  readonly #accepted = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<ShoalError | undefined>();
  #client: MqttClient | undefined;
  /** What carries the packets: a socket, or a WebSocket over one. */
  #stream: Duplex | undefined;
  #why: ShoalError | undefined;
  #cancelGrace = () => {};
  #ending = false;

  constructor(clock: Clock, options: ConnectionOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#accepted.promise.catch(() => {});
  }

  /** Settles when the connection is gone: with the reason, or `undefined` after {@link close}. Never rejects. */
  get closed(): Promise<ShoalError | undefined> {
    return this.#closed.promise;
  }

  /** Of the broker, for people. */
  get address(): string {
    return this.#options.address.text;
  }

  get isOpen(): boolean {
    return !this.#ending && this.#client?.connected === true && this.#stream?.writable === true;
  }

  /** Resolves when the broker has accepted. @throws `net.unreachable`, `timeout`, `auth.forbidden` with what the broker said. */
  async open(): Promise<void> {
    const { address, clientId, username, keepAliveS, will, maxFrameBytes } = this.#options;
    // Loaded when it is used: it takes some 10 MB.
    const [{ MqttClient }, transport] = await Promise.all([
      import('mqtt'),
      loadTransport(address, this.#options.coordinator),
    ]);
    // Stopped while they were being loaded.
    if (this.#ending) return this.#accepted.promise;
    const socket = transport.open();
    this.#stream = socket;
    if (!(await this.#trusted(socket, transport))) return this.#accepted.promise;
    const password = this.#options.password?.();
    const stream = transport.stream(socket);
    this.#stream = stream;
    guardPackets(stream, { firstBytes: packetOverheadBytes, laterBytes: maxFrameBytes + packetOverheadBytes });
    const client = new MqttClient(() => stream, {
      clientId,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(will && { will: { ...will, payload: Buffer.from(will.payload), qos: 0, retain: true } }),
      clean: true,
      keepalive: keepAliveS,
      timerVariant: keepAliveTimer(this.#clock, socket),
      connectTimeout: this.#options.acceptTimeoutMs,
      // The session connects again; what is lost is said again by the messenger.
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // It would keep a buffer for each number up to 65535: 10 MB and 15 ms.
      writeCache: false,
    });
    this.#client = client;
    // Every sender that waits for room listens; how many can is bounded in bytes.
    stream.setMaxListeners(0);
    client.on('connect', () => this.#accepted.resolve());
    client.on('message', (topic, payload) => {
      if (!this.#ending) this.#options.onMessage(topic, payload);
    });
    client.on('packetreceive', (packet) => {
      if (!mayComeFromBroker(packet))
        this.#fail(new ShoalError('message.malformed', `a broker does not send a ${packet.cmd} that nobody asked for`));
    });
    client.on('error', (error) => this.#fail(explain(address, error)));
    client.on('close', () => this.#finish());
    await this.#accepted.promise;
  }

  /** Resolves when the broker has granted the subscriptions. @throws `auth.forbidden` when it has not, `net.unreachable` when it is gone. */
  async subscribe(filters: readonly string[]): Promise<void> {
    try {
      await this.#client?.subscribeAsync([...filters], { qos: 0 });
    } catch (error) {
      if (this.isOpen)
        throw new ShoalError('auth.forbidden', 'the broker did not grant a subscription', {}, { cause: error });
      throw this.#why ?? gone(this.#options.address);
    }
  }

  /**
   * Resolves when the socket can take more, so that a sender that waits sends no faster than the broker reads.
   * @throws `queue.full`, `net.unreachable`; the signal's reason when aborted while waiting.
   */
  async publish(
    topic: string,
    payload: Uint8Array,
    options: { retain?: boolean; signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const { address, maxBufferedBytes } = this.#options;
    const stream = this.#stream;
    if (!stream || !this.isOpen) throw new ShoalError('net.unreachable', `not connected to ${address.text}`);
    requireRoom(stream, payload.length + topic.length, maxBufferedBytes);
    // What the stream takes without asking to wait may lie there still when the sender uses its buffer again.
    const mayLieThere = payload.length < stream.writableHighWaterMark;
    const bytes = mayLieThere ? Buffer.from(payload) : Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    this.#client?.publish(topic, bytes, { qos: 0, retain: options.retain ?? false });
    if (stream.writableNeedDrain) await drained(stream, options.signal);
  }

  /** Says goodbye and closes; after `graceMs` without an end, cuts. Idempotent. */
  async close(graceMs: number): Promise<void> {
    if (!this.#ending) {
      const isOpen = this.isOpen;
      this.#ending = true;
      this.#accepted.reject(new ShoalError('closed', 'the connection was closed'));
      if (isOpen) {
        this.#cancelGrace = this.#clock.after('mqtt: close', graceMs, () => this.#stream?.destroy());
        this.#client?.end();
      } else if (this.#client) this.#stream?.destroy();
      else {
        this.#stream?.destroy();
        this.#finish();
      }
    }
    await this.#closed.promise;
  }

  /** Whether the broker is the right one and the connection may begin. If not, it is over. */
  async #trusted(socket: Socket, transport: Transport): Promise<boolean> {
    const { address, connectTimeoutMs } = this.#options;
    const cancel = this.#clock.after('mqtt: connect', connectTimeoutMs, () =>
      socket.destroy(new ShoalError('timeout', `the broker at ${address.text} does not answer`)),
    );
    try {
      await transport.trust(socket);
      return !this.#ending;
    } catch (error) {
      this.#fail(explain(address, error as Error));
      this.#finish();
      return false;
    } finally {
      cancel();
    }
  }

  #fail(error: ShoalError): void {
    this.#why ??= error;
    this.#stream?.destroy();
  }

  #finish(): void {
    this.#cancelGrace();
    const why = this.#why ?? gone(this.#options.address);
    this.#accepted.reject(why);
    this.#closed.resolve(this.#ending ? undefined : why);
    this.#ending = true;
  }
}

/**
 * What was asked for at QoS 0. MQTT.js would pass over the rest, and keep messages of QoS 2 until the broker releases them.
 */
function mayComeFromBroker(packet: Packet): boolean {
  if (packet.cmd === 'publish') return packet.qos === 0;
  return packet.cmd === 'connack' || packet.cmd === 'suback' || packet.cmd === 'pingresp';
}

function gone(address: BrokerAddress): ShoalError {
  return new ShoalError('net.unreachable', `the broker at ${address.text} closed the connection`);
}

/** What MQTT.js says: the return code of a CONNACK (§3.2.2.3), the code of a socket's error, or words alone. */
function explain({ text }: BrokerAddress, error: Error & { readonly code?: unknown }): ShoalError {
  if (error instanceof ShoalError) return error;
  const { code, message } = error;
  if (typeof code === 'number' && code <= 5) {
    const hint = code === 4 || code === 5 ? ' (if the password was made by this device: its clock may be wrong)' : '';
    return new ShoalError('auth.forbidden', `the broker at ${text}: ${message}${hint}`, { code });
  }
  if (typeof code === 'string') {
    // An AggregateError (several addresses of one name were tried) has no message of its own.
    return new ShoalError(
      'net.unreachable',
      `cannot reach the broker at ${text}: ${message || code}`,
      {},
      { cause: error },
    );
  }
  if (/timeout/i.test(message)) return new ShoalError('timeout', `the broker at ${text} does not answer: ${message}`);
  return asShoalError(error, 'message.malformed');
}
