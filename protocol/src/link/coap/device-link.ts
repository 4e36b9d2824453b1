import { asShoalError, ShoalError } from '../../errors/index.ts';
import type { Identity, PeerId } from '../../identity/index.ts';
import { type BackoffOptions, backoffMs, type Clock, delay, type Logger, type Random } from '../../runtime/index.ts';
import type { Link, LinkListener, LinkTraits } from '../link.ts';
import { LinkListeners } from '../link-listeners.ts';
import { type CoapAddress, parseCoapAddress } from './coap-address.ts';
import { DeviceSession } from './device-session.ts';
import { lifetimeLimitsS } from './resources.ts';

export interface CoapDeviceLinkOptions {
  /** `coap://host:port`, where the coordinator may be: tried in turn until one answers, and from there on again. At least one. */
  readonly urls: readonly string[];
  readonly identity: Identity;
  /** The one peer. */
  readonly coordinator: PeerId;
  readonly clock: Clock;
  /** For tokens, which nobody may guess, and the jitter of waits. */
  readonly random: Random;
  readonly logger: Logger;
  readonly limits?: Partial<CoapDeviceLinkLimits>;
}

export interface CoapDeviceLinkLimits {
  readonly maxFrameBytes: number;
  /** Bytes that may wait for the coordinator before `send` refuses with `queue.full`. */
  readonly maxBufferedBytes: number;
  readonly connectTimeoutMs: number;
  /** Without an answer for this long the connection is given up, ms: the time in which a message is sent five times (RFC 7252 §4.8.2). */
  readonly silenceMs: number;
  /** After so long without anything else the device says that it is there, ms. */
  readonly heartbeatMs: number;
  /** The coordinator takes the device for gone when it hears nothing for this long, s. */
  readonly lifetimeS: number;
  readonly backoff: BackoffOptions;
  /** A connection that held this long starts the backoff anew, ms. */
  readonly stableMs: number;
  /** Longest wait for a tidy goodbye, ms. */
  readonly closeGraceMs: number;
}

const defaultCoapDeviceLinkLimits: CoapDeviceLinkLimits = {
  maxFrameBytes: 1 << 20,
  maxBufferedBytes: 4 << 20,
  connectTimeoutMs: 10_000,
  silenceMs: 45_000,
  heartbeatMs: 10_000,
  lifetimeS: lifetimeLimitsS.usual,
  backoff: { firstMs: 200, maxMs: 15_000, factor: 2 },
  stableMs: 5_000,
  closeGraceMs: 1_000,
};

/** While a coordinator cannot be reached, one line in so many ms says so: days without it must not fill a log. */
const sayEveryMs = 60_000;

/** A device's end of a CoAP link. @throws `input.invalid` for an address that is none. */
export function createCoapDeviceLink(options: CoapDeviceLinkOptions): Link {
  return new CoapDeviceLink(options);
}

class CoapDeviceLink implements Link {
  readonly kind = 'coap';
  readonly name: string;
  readonly traits: LinkTraits;
  readonly #options: CoapDeviceLinkOptions;
  readonly #limits: CoapDeviceLinkLimits;
  readonly #addresses: readonly CoapAddress[];
  readonly #listeners = new LinkListeners();
  readonly #stop = new AbortController();
  #state: 'idle' | 'started' | 'stopped' = 'idle';
  #session: DeviceSession | undefined;
  #running: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  /** When it was last said that there is no connection, monotonic ms; `undefined` once there was one again. */
  #saidMs: number | undefined;

  constructor(options: CoapDeviceLinkOptions) {
    this.#options = options;
    this.#limits = { ...defaultCoapDeviceLinkLimits, ...options.limits };
    this.#addresses = options.urls.map(parseCoapAddress);
    this.name = `coap-link ${this.#addresses.map(({ text }) => text).join(' ')}`;
    this.traits = { maxFrameBytes: this.#limits.maxFrameBytes, reliable: true, ordered: true, duplex: true };
  }

  /** Resolves once the first attempt to connect is under way: a coordinator that is away is waited for, for ever. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#state === 'stopped') throw new ShoalError('closed', `${this.name} was stopped`);
    this.#state = 'started';
    this.#running ??= this.#run(this.#stop.signal);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  async send(to: PeerId, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#state !== 'started') throw new ShoalError('closed', `${this.name} is not started`);
    const { maxFrameBytes } = this.traits;
    if (frame.length > maxFrameBytes) {
      throw new ShoalError('message.too-large', `a frame of ${frame.length} bytes; this link takes ${maxFrameBytes}`);
    }
    if (to !== this.#options.coordinator || !this.#session?.isOpen)
      throw new ShoalError('net.unreachable', `${this.name} cannot reach ${to} now`);
    await this.#session.send(frame, signal);
  }

  subscribe(listener: LinkListener): () => void {
    return this.#listeners.add(listener);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const { backoff, stableMs } = this.#limits;
    let at = 0;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const address = this.#addresses[at % this.#addresses.length];
      if (!address) throw new ShoalError('defect', `${this.name} has no address`);
      const startedMs = clock.monotonicMs();
      const { wasOpen, why } = await this.#connectOnce(address);
      if (signal.aborted) return;
      if (clock.monotonicMs() - startedMs >= stableMs) attempt = 0;
      // One that answered is tried again first.
      if (!wasOpen) at += 1;
      const waitMs = backoffMs(attempt, backoff, random);
      this.#say(why, waitMs);
      await delay(clock, `${this.name}: reconnect`, waitMs, signal).catch(() => {});
    }
  }

  #say({ code, message }: ShoalError, waitMs: number): void {
    const { clock, logger } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#saidMs !== undefined && nowMs - this.#saidMs < sayEveryMs) return;
    this.#saidMs = nowMs;
    const facts = { link: this.name, code, why: message, waitMs: Math.round(waitMs) };
    logger.warn('not connected to the coordinator, trying again', facts);
  }

  /** One registration from beginning to end. Returns whether it began, and why it ended. */
  async #connectOnce(address: CoapAddress): Promise<{ wasOpen: boolean; why: ShoalError }> {
    const { clock, random, identity, coordinator, logger } = this.#options;
    const session = new DeviceSession(
      { clock, random },
      {
        ...this.#limits,
        address,
        identity,
        onFrame: (frame) => this.#listeners.frame(frame, coordinator),
      },
    );
    this.#session = session;
    try {
      await session.open();
    } catch (error) {
      await session.close(0);
      return { wasOpen: false, why: asShoalError(error) };
    }
    this.#saidMs = undefined;
    logger.info('registered with the coordinator', { address: address.text });
    this.#listeners.peer(coordinator, true);
    const why = await session.ended;
    this.#listeners.peer(coordinator, false);
    await session.close(0);
    return { wasOpen: true, why };
  }

  async #end(): Promise<void> {
    this.#state = 'stopped';
    this.#stop.abort(new ShoalError('closed', `${this.name} was stopped`));
    await this.#session?.close(this.#limits.closeGraceMs);
    await this.#running;
    this.#listeners.clear();
  }
}
