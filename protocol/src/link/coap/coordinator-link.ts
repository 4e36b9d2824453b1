import { toBase64Url } from '../../bytes/index.ts';
import { ShoalError } from '../../errors/index.ts';
import type { PeerId } from '../../identity/index.ts';
import { KeyProofs } from '../../key-proof/index.ts';
import type { Clock, Logger, Random } from '../../runtime/index.ts';
import type { Link, LinkListener, LinkTraits } from '../link.ts';
import { LinkListeners } from '../link-listeners.ts';
import { largestBlockBytes } from './block-option.ts';
import { type CoapResource, CoapServer, type ServedAnswer, type ServedRequest } from './coap-server.ts';
import type { HalfDoneLimits } from './half-done-bodies.ts';
import { Registration } from './registration.ts';
import { downName, lifetimeLimitsS, registryPath, upName } from './resources.ts';

export interface CoapCoordinatorLinkOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits?: Partial<CoapCoordinatorLinkLimits>;
  /** Who belongs to the fleet: others get little. Left out: everybody does. */
  readonly isMember?: (device: PeerId) => boolean;
}

export interface CoapCoordinatorLinkLimits extends HalfDoneLimits {
  readonly maxFrameBytes: number;
  /** Bytes that may wait for one device before a frame for it is refused. */
  readonly maxBufferedBytes: number;
  readonly maxDevices: number;
  /** Of those, such as do not belong to the fleet (yet). The oldest of them makes room for the next, and for any member. */
  readonly maxStrangers: number;
  /** How far the clock in a proof of key possession may be from ours for it to end any other registration of its device, ms. */
  readonly proofWindowMs: number;
}

const defaultCoapCoordinatorLinkLimits: CoapCoordinatorLinkLimits = {
  maxFrameBytes: 1 << 20,
  maxBufferedBytes: 4 << 20,
  maxDevices: 10_000,
  maxStrangers: 256,
  proofWindowMs: 24 * 3_600_000,
  maxHalfDone: 2_000,
  maxHalfDoneBytes: 64 << 20,
  // The time for which a message of a body is sent again (RFC 7252 §4.8.2), and some.
  halfDoneMs: 60_000,
};

/** The coordinator's end of CoAP links: a server that devices register at. */
export interface CoapCoordinatorLink extends Link {
  /** The port it listens on. @throws `closed` before start. */
  readonly port: number;
  /** Devices that are registered. */
  readonly devices: number;
  /** The device is not registered any more. */
  cut(device: PeerId): void;
}

/** It listens from `start` to `stop`. */
export function createCoapCoordinatorLink(options: CoapCoordinatorLinkOptions): CoapCoordinatorLink {
  return new ServerLink(options);
}

class ServerLink implements CoapCoordinatorLink {
  readonly kind = 'coap';
  readonly name = 'coap-server';
  readonly traits: LinkTraits;
  readonly #options: CoapCoordinatorLinkOptions;
  readonly #limits: CoapCoordinatorLinkLimits;
  readonly #proofs: KeyProofs;
  readonly #server: CoapServer;
  readonly #upward: CoapResource;
  readonly #listeners = new LinkListeners();
  readonly #byDevice = new Map<PeerId, Registration>();
  readonly #byHandle = new Map<string, Registration>();
  /** Registered, and not of the fleet when that was looked at last; the oldest first. */
  readonly #strangers = new Set<Registration>();
  #state: 'idle' | 'started' | 'stopped' = 'idle';
  #stopping: Promise<void> | undefined;

  constructor(options: CoapCoordinatorLinkOptions) {
    const { clock, random, logger, host, port } = options;
    const limits = { ...defaultCoapCoordinatorLinkLimits, ...options.limits };
    this.#options = options;
    this.#limits = limits;
    this.#upward = this.#upwardOf(limits);
    this.#proofs = new KeyProofs(clock, {
      context: 'shoal-coap-v1',
      windowMs: limits.proofWindowMs,
      mostRemembered: 100_000,
    });
    this.#server = new CoapServer(
      { clock, random, logger },
      {
        host,
        port,
        limits,
        links: [{ path: registryPath, rt: 'core.rd', title: 'Shoal: devices register here' }],
        find: (path) => this.#find(path),
      },
    );
    this.traits = { maxFrameBytes: limits.maxFrameBytes, reliable: true, ordered: true, duplex: true };
  }

  get port(): number {
    return this.#server.port;
  }

  get devices(): number {
    return this.#byDevice.size;
  }

  /** @throws `conflict` when the port is taken; `io.failed` when it cannot be had. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#state !== 'idle') throw new ShoalError('closed', `${this.name} was started before`);
    this.#state = 'started';
    await this.#server.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async send(to: PeerId, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#state !== 'started') throw new ShoalError('closed', `${this.name} is not started`);
    const { maxFrameBytes } = this.traits;
    if (frame.length > maxFrameBytes) {
      throw new ShoalError('message.too-large', `a frame of ${frame.length} bytes; this link takes ${maxFrameBytes}`);
    }
    const registration = this.#byDevice.get(to);
    if (!registration?.isObserved) throw new ShoalError('net.unreachable', `${to} is not registered`, { peer: to });
    await registration.send(frame, signal);
  }

  subscribe(listener: LinkListener): () => void {
    return this.#listeners.add(listener);
  }

  cut(device: PeerId): void {
    const registration = this.#byDevice.get(device);
    if (registration) this.#remove(registration, 'it was cut off');
  }

  async #stop(): Promise<void> {
    this.#state = 'stopped';
    for (const registration of [...this.#byDevice.values()]) {
      registration.farewell();
      this.#remove(registration, 'the coordinator stops');
    }
    await this.#server.stop();
    this.#listeners.clear();
  }

  #find([first, handle, name, ...rest]: readonly string[]): CoapResource | undefined {
    if (`/${first}` !== registryPath || rest.length > 0) return undefined;
    if (handle === undefined) return this.#registry;
    if (name === undefined) return this.#membership;
    if (name === upName) return this.#upward;
    return name === downName ? this.#downward : undefined;
  }

  /** `POST /rd?ep=<device id>&lt=<s>`, the proof of its key as body (RFC 9176 §5). */
  readonly #registry: CoapResource = {
    maxBodyBytes: largestBlockBytes,
    serve: (request) => (request.method === 'POST' ? this.#register(request) : { code: '4.05' }),
  };

  /** `POST /rd/<handle>`: I am still here; `DELETE`: I leave (RFC 9176 §5.3). */
  readonly #membership: CoapResource = {
    maxBodyBytes: largestBlockBytes,
    serve: (request) => {
      const registration = this.#registrationOf(request);
      if (request.method === 'POST') return { code: '2.04' };
      if (request.method !== 'DELETE') return { code: '4.05' };
      this.#remove(registration, 'it has left');
      return { code: '2.02' };
    },
  };

  /** `POST /rd/<handle>/up?n=<number>`: a frame. The number counts from 1, so that one that comes twice is known. */
  #upwardOf({ maxFrameBytes }: CoapCoordinatorLinkLimits): CoapResource {
    return {
      maxBodyBytes: maxFrameBytes,
      admit: (request) => void this.#registrationOf(request),
      serve: (request) => {
        const registration = this.#registrationOf(request);
        if (request.method !== 'POST') return { code: '4.05' };
        return registration.came(numberIn(request), () => this.#listeners.frame(request.body, registration.device));
      },
    };
  }

  /** `GET /rd/<handle>/down`, observed: a notification for each frame; `DELETE ...?n=<number>`: I have all of it. */
  readonly #downward: CoapResource = {
    maxBodyBytes: largestBlockBytes,
    serve: (request) => {
      const registration = this.#registrationOf(request);
      if (request.method === 'GET') return registration.current;
      if (request.method !== 'DELETE') return { code: '4.05' };
      registration.taken(numberIn(request));
      return { code: '2.02' };
    },
    observe: (request, accept) => {
      const registration = this.#registrationOf(request);
      const wasObserved = registration.isObserved;
      registration.observedBy(accept({ code: '2.05' }));
      if (!wasObserved) this.#listeners.peer(registration.device, true);
    },
  };

  #register({ body, query, endpoint }: ServedRequest): ServedAnswer {
    const { clock, logger, random } = this.#options;
    const id = query.get('ep');
    const outcome = this.#proofs.check(id, body.toString('latin1'));
    if ('refused' in outcome) {
      logger.info('device not registered', { device: id?.slice(0, 40), why: outcome.refused });
      throw new ShoalError('auth.forbidden', outcome.refused);
    }
    const { device, timely } = outcome;
    const before = this.#byDevice.get(device);
    if (before?.timely && !timely) throw new ShoalError('auth.forbidden', 'it is here, and its clock was right');
    if (before) this.#remove(before, 'it has registered again');
    const isMember = this.#isMember(device);
    this.#makeRoom(isMember);
    const handle = toBase64Url(random.bytes(16));
    const registration: Registration = new Registration(clock, {
      ...this.#limits,
      device,
      timely,
      handle,
      endpoint,
      lifetimeMs: lifetimeOf(query.get('lt'), isMember) * 1_000,
      onLapse: () => this.#remove(registration, 'it is silent'),
    });
    this.#byDevice.set(device, registration);
    this.#byHandle.set(handle, registration);
    if (!isMember) this.#strangers.add(registration);
    return { code: '2.01', location: [registryPath.slice(1), handle] };
  }

  /** Anybody can make any number of keys: those of strangers never keep a member out. @throws `queue.full` */
  #makeRoom(isMember: boolean): void {
    const { maxDevices, maxStrangers } = this.#limits;
    for (const each of this.#strangers) if (this.#isMember(each.device)) this.#strangers.delete(each);
    const isFull = this.#byDevice.size >= maxDevices;
    if (!isFull && (isMember || this.#strangers.size < maxStrangers)) return;
    const [oldest] = this.#strangers;
    if (oldest) {
      this.#remove(oldest, 'others came');
      return;
    }
    this.#options.logger.warn('registration refused: too many', { limit: maxDevices });
    throw new ShoalError('queue.full', 'there are as many devices as there may be');
  }

  #isMember(device: PeerId): boolean {
    return this.#options.isMember?.(device) ?? true;
  }

  /** @throws `not-found`, also for the right handle from another address: its device proves its key again when its address changes. */
  #registrationOf({ path: [, handle = ''], endpoint }: ServedRequest): Registration {
    const registration = this.#byHandle.get(handle);
    if (registration?.endpoint !== endpoint) throw new ShoalError('not-found', 'not registered');
    registration.heard();
    return registration;
  }

  #remove(registration: Registration, why: string): void {
    if (this.#byHandle.get(registration.handle) !== registration) return;
    const wasObserved = registration.isObserved;
    this.#byHandle.delete(registration.handle);
    this.#byDevice.delete(registration.device);
    this.#strangers.delete(registration);
    registration.end(why);
    if (wasObserved) this.#listeners.peer(registration.device, false);
  }
}

/** @throws `input.invalid` */
function numberIn({ query }: ServedRequest): number {
  const text = query.get('n') ?? '';
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new ShoalError('input.invalid', 'n is the number of a frame');
  return Number(text);
}

function lifetimeOf(text: string | undefined, isMember: boolean): number {
  const { least, usual, most } = lifetimeLimitsS;
  const seconds = /^\d{1,9}$/.test(text ?? '') ? Number(text) : usual;
  return Math.min(isMember ? most : usual, Math.max(least, seconds));
}
