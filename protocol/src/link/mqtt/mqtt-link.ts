import { ShoalError } from '../../errors/index.ts';
import type { Identity, PeerId } from '../../identity/index.ts';
import { makeKeyProof } from '../../key-proof/index.ts';
import { type BackoffOptions, type Clock, type Logger, type Random, seededRandom } from '../../runtime/index.ts';
import type { Link, LinkListener, LinkTraits } from '../link.ts';
import { LinkListeners } from '../link-listeners.ts';
import { type BrokerAddress, parseBrokerAddress } from './broker-address.ts';
import type { ConnectionOptions } from './connection.ts';
import { MqttSession } from './session.ts';
import { defaultTopicPrefix } from './topics.ts';

export interface MqttLinkOptions {
  /** `mqtt://host:port`, or `mqtts`, `ws`, `wss` (see {@link BrokerAddress}). With a user name and password those are used; else the identity proves its key. */
  readonly url: string;
  /** Where the same broker, or another that leads to the same peers, is too: tried in turn when one does not answer, at any time. */
  readonly otherUrls?: readonly string[];
  /** First levels of every topic. Default `shoal`. */
  readonly prefix?: string;
  readonly identity: Identity;
  readonly clock: Clock;
  /** For the jitter of reconnections. Default: one that differs from peer to peer and from start to start. */
  readonly random?: Random;
  readonly logger: Logger;
  readonly limits?: Partial<MqttLinkLimits>;
}

export interface MqttLinkLimits {
  readonly maxFrameBytes: number;
  /** Bytes that may wait for the broker before `send` refuses with `queue.full`. */
  readonly maxBufferedBytes: number;
  readonly connectTimeoutMs: number;
  /** The same where other addresses wait to be tried. */
  readonly hastyTimeoutMs: number;
  /** Once there is a connection, how long the broker may take to let this peer in, ms: after a restart a whole fleet stands at its door. */
  readonly acceptTimeoutMs: number;
  /** The broker is asked for a sign of life this often; a dead connection is noticed within two and a half times this, s. */
  readonly keepAliveS: number;
  readonly backoff: BackoffOptions;
  /** A connection that held this long starts the backoff anew, ms. */
  readonly stableMs: number;
  /** Longest wait for a tidy goodbye, ms. */
  readonly closeGraceMs: number;
}

const defaultMqttLinkLimits: MqttLinkLimits = {
  maxFrameBytes: 1 << 20,
  maxBufferedBytes: 4 << 20,
  connectTimeoutMs: 10_000,
  hastyTimeoutMs: 2_000,
  acceptTimeoutMs: 60_000,
  keepAliveS: 20,
  backoff: { firstMs: 200, maxMs: 15_000, factor: 2 },
  stableMs: 5_000,
  closeGraceMs: 1_000,
};

/** One end of the conversation: what differs between a device and the coordinator. */
export interface MqttEnd {
  readonly subscriptions: readonly string[];
  /** Its key may vouch for the broker's certificate. */
  readonly coordinator: PeerId;
  readonly will: ConnectionOptions['will'];
  topicTo(peer: PeerId): string | undefined;
  /** Called for every message that is subscribed to. */
  onMessage(topic: string, payload: Buffer, listeners: LinkListeners): void;
  onUp(listeners: LinkListeners, publish: (topic: string, text: string) => void): void;
  onDown(listeners: LinkListeners): void;
  /** Retained state to leave behind at a tidy stop: the last will speaks only at an untidy one. */
  readonly farewell: { readonly topic: string; readonly payload: string } | undefined;
}

/**
 * A link over an MQTT broker. Everything goes at QoS 0: whether a message was *handled* is only known when its signed answer is back, and the
 * messenger repeats it until then, so an acknowledgement by the broker would cost round trips and promise nothing
 * (docs/decisions/0004-mqtt-qos-0.md).
 */
export class MqttLink implements Link {
  readonly kind = 'mqtt';
  readonly name: string;
  readonly traits: LinkTraits;
  readonly #end: MqttEnd;
  readonly #listeners = new LinkListeners();
  readonly #session: MqttSession;
  #state: 'idle' | 'started' | 'stopped' = 'idle';
  #stopping: Promise<void> | undefined;

  constructor(options: MqttLinkOptions, end: MqttEnd) {
    const limits = { ...defaultMqttLinkLimits, ...options.limits };
    const { identity, clock, logger, random = jitterOf(options) } = options;
    const [address, ...others] = [
      parseBrokerAddress(options.url),
      ...(options.otherUrls ?? []).map(parseBrokerAddress),
    ] as const;
    const addresses = [address, ...others];
    const listeners = this.#listeners;
    this.name = `mqtt-link ${address.text}`;
    // A broker may drop QoS 0 messages for a client that reads slowly (Mosquitto's max_queued_messages): not reliable.
    this.traits = { maxFrameBytes: limits.maxFrameBytes, reliable: false, ordered: true, duplex: true };
    this.#end = end;
    this.#session = new MqttSession(
      { clock, random, logger: logger.child({ link: this.name }) },
      {
        ...limits,
        name: this.name,
        subscriptions: end.subscriptions,
        places: addresses.length,
        connection: (place, hasty) => ({
          ...limits,
          ...(hasty && { connectTimeoutMs: limits.hastyTimeoutMs, acceptTimeoutMs: limits.hastyTimeoutMs }),
          ...credentialsFor(addresses[place] ?? address, identity, clock),
          coordinator: end.coordinator,
          clientId: identity.id,
          will: end.will,
          onMessage: (topic, payload) => end.onMessage(topic, payload, listeners),
        }),
        onUp: (connection) => {
          logger.info('connected to the broker', { link: this.name, broker: connection.address });
          end.onUp(listeners, (topic, text) => {
            // A connection that breaks now says so through `closed`.
            connection.publish(topic, Buffer.from(text), { retain: true }).catch(() => {});
          });
        },
        onDown: () => end.onDown(listeners),
      },
    );
  }

  /** Resolves once the first attempt to connect is under way: a broker that is away is waited for, for ever. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#state === 'stopped') throw new ShoalError('closed', `${this.name} was stopped`);
    this.#state = 'started';
    this.#session.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#state = 'stopped';
    const { farewell } = this.#end;
    if (farewell) {
      const said = this.#session.connection?.publish(farewell.topic, Buffer.from(farewell.payload), { retain: true });
      said?.catch(() => {});
    }
    await this.#session.stop();
    this.#listeners.clear();
  }

  async send(to: PeerId, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#state !== 'started') throw new ShoalError('closed', `${this.name} is not started`);
    const { maxFrameBytes } = this.traits;
    if (frame.length > maxFrameBytes) {
      throw new ShoalError('message.too-large', `a frame of ${frame.length} bytes; this link takes ${maxFrameBytes}`);
    }
    const topic = this.#end.topicTo(to);
    const connection = this.#session.connection;
    if (topic === undefined || !connection)
      throw new ShoalError('net.unreachable', `${this.name} cannot reach ${to} now`);
    await connection.publish(topic, frame, { signal });
  }

  subscribe(listener: LinkListener): () => void {
    return this.#listeners.add(listener);
  }
}

function credentialsFor(address: BrokerAddress, identity: Identity, clock: Clock) {
  const { username, password } = address;
  if (username !== undefined) return { address, username, password: () => password };
  return { address, username: identity.id, password: () => makeKeyProof('shoal-mqtt-v1', identity, clock.nowMs()) };
}

function jitterOf({ identity, clock }: MqttLinkOptions): Random {
  return seededRandom(Buffer.from(identity.publicKey).readUInt32LE(0) ^ clock.nowMs());
}

export function prefixOf(options: MqttLinkOptions): string {
  const prefix = options.prefix ?? defaultTopicPrefix;
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(prefix)) {
    throw new ShoalError(
      'input.invalid',
      `"${prefix}" cannot begin a topic: use letters, digits, "_", "-", "." and "/"`,
    );
  }
  return prefix;
}
