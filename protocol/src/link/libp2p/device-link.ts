import { ShoalError } from '../../errors/index.ts';
import type { PeerId, PeerKey } from '../../identity/index.ts';
import { type Clock, type Logger, type Random, seededRandom } from '../../runtime/index.ts';
import type { Link, LinkListener, LinkTraits } from '../link.ts';
import { LinkListeners } from '../link-listeners.ts';
import { multiaddrOf, parseLibp2pAddress } from './address.ts';
import type { FrameStream } from './frame-stream.ts';
import { KeepOpen } from './keep-open.ts';
import { linkProtocol, requireFits, traitsOf } from './link-protocol.ts';
import type { Libp2pNode } from './node.ts';

export interface Libp2pDeviceLinkOptions {
  /** Started and stopped with the link. */
  readonly node: Libp2pNode;
  readonly coordinator: PeerKey;
  /** `libp2p://host:port` or `libp2p:mdns`. mDNS is asked in any case. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the jitter of reconnections. Default: one that differs from device to device and from start to start. */
  readonly random?: Random;
}

/** A device's end: keeps one stream open to its coordinator. @throws `input.invalid` for an address that is none. */
export function createLibp2pDeviceLink(options: Libp2pDeviceLinkOptions): Link {
  return new DeviceLink(options);
}

class DeviceLink implements Link {
  readonly kind = 'libp2p';
  readonly name = 'libp2p-link';
  readonly traits: LinkTraits;
  readonly #options: Libp2pDeviceLinkOptions;
  readonly #listeners = new LinkListeners();
  readonly #keepOpen: KeepOpen;
  #state: 'idle' | 'started' | 'stopped' = 'idle';
  #stream: FrameStream | undefined;
  #endSearch = () => {};
  #stopping: Promise<void> | undefined;

  constructor(options: Libp2pDeviceLinkOptions) {
    const { node, coordinator, clock, logger } = options;
    const random =
      options.random ?? seededRandom(Buffer.from(node.publicKey).readUInt32LE(0) ^ Math.round(clock.nowMs()));
    const target = {
      publicKey: coordinator.publicKey,
      addresses: options.addresses.flatMap((address) => {
        const place = parseLibp2pAddress(address);
        return place ? [multiaddrOf(place).toString()] : [];
      }),
    };
    this.traits = traitsOf(node.limits);
    this.#options = options;
    this.#keepOpen = new KeepOpen(
      { clock, random, logger },
      {
        name: this.name,
        limits: node.limits,
        open: (signal) => node.open(linkProtocol, target, signal),
        use: (stream) => this.#use(stream),
      },
    );
  }

  /** Resolves once it looks for the coordinator: one that is away is waited for, for ever. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#state === 'stopped') throw new ShoalError('closed', `${this.name} was stopped`);
    const { node, coordinator } = this.#options;
    await node.start(signal);
    this.#state = 'started';
    this.#endSearch = node.onFound((key) => {
      if (Buffer.from(key).equals(coordinator.publicKey)) this.#keepOpen.wake();
    });
    this.#keepOpen.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#state = 'stopped';
    const { node } = this.#options;
    this.#endSearch();
    this.#listeners.clear();
    const stopped = this.#keepOpen.stop();
    await this.#stream?.close(node.limits.closeGraceMs);
    await stopped;
    await node.stop();
  }

  async send(to: PeerId, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#state !== 'started') throw new ShoalError('closed', `${this.name} is not started`);
    requireFits(frame, this.traits);
    if (to !== this.#options.coordinator.id || !this.#stream) {
      throw new ShoalError('net.unreachable', `${this.name} cannot reach ${to} now`);
    }
    await this.#stream.send(frame, signal);
  }

  advertise(capability: Uint8Array): void {
    this.#options.node.advertise(capability);
  }

  subscribe(listener: LinkListener): () => void {
    return this.#listeners.add(listener);
  }

  async #use(stream: FrameStream): Promise<ShoalError> {
    const { coordinator, logger } = this.#options;
    const { promise: ended, resolve: onEnd } = Promise.withResolvers<ShoalError>();
    stream.listen({ onFrame: (frame) => this.#listeners.frame(frame, coordinator.id), onEnd });
    if (this.#state === 'stopped') await stream.close(0);
    else if (stream.isOpen) {
      this.#stream = stream;
      logger.info('connected to the coordinator', { link: this.name, relayed: stream.remote.relayed });
      this.#listeners.peer(coordinator.id, true);
    }
    const why = await ended;
    if (this.#stream === stream) {
      this.#stream = undefined;
      this.#listeners.peer(coordinator.id, false);
    }
    return why;
  }
}
