import { ShoalError } from '../../errors/index.ts';
import { type PeerId, roleOf } from '../../identity/index.ts';
import type { Logger } from '../../runtime/index.ts';
import type { Link, LinkListener, LinkTraits } from '../link.ts';
import { LinkListeners } from '../link-listeners.ts';
import type { FrameStream } from './frame-stream.ts';
import { linkProtocol, requireFits, traitsOf } from './link-protocol.ts';
import type { Libp2pNode } from './node.ts';

export interface Libp2pCoordinatorLinkOptions {
  /** Started and stopped with the link. */
  readonly node: Libp2pNode;
  readonly logger: Logger;
}

/** The coordinator's end: devices open streams to it. */
export function createLibp2pCoordinatorLink(options: Libp2pCoordinatorLinkOptions): Link {
  return new CoordinatorLink(options);
}

class CoordinatorLink implements Link {
  readonly kind = 'libp2p';
  readonly name = 'libp2p-link';
  readonly traits: LinkTraits;
  readonly #node: Libp2pNode;
  readonly #logger: Logger;
  readonly #listeners = new LinkListeners();
  /** The last stream of each device. Bounded by the connections that the node takes. */
  readonly #streams = new Map<PeerId, FrameStream>();
  #state: 'idle' | 'started' | 'stopped' = 'idle';
  #stopping: Promise<void> | undefined;

  constructor({ node, logger }: Libp2pCoordinatorLinkOptions) {
    this.traits = traitsOf(node.limits);
    this.#node = node;
    this.#logger = logger;
    // One that broke unseen may still be open when the next comes.
    node.onAdvert((peer, capability) => this.#listeners.advert(peer, capability));
    node.handle(linkProtocol, (stream) => this.#adopt(stream), { maxStreamsPerPeer: 2 });
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#state === 'stopped') throw new ShoalError('closed', `${this.name} was stopped`);
    this.#state = 'started';
    await this.#node.start(signal);
    this.#logger.info('libp2p listens', { addresses: this.#node.addresses.join(' ') });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#state = 'stopped';
    this.#listeners.clear();
    const { closeGraceMs } = this.#node.limits;
    await Promise.all([...this.#streams.values()].map((stream) => stream.close(closeGraceMs)));
    await this.#node.stop();
  }

  async send(to: PeerId, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#state !== 'started') throw new ShoalError('closed', `${this.name} is not started`);
    requireFits(frame, this.traits);
    const stream = this.#streams.get(to);
    if (!stream) throw new ShoalError('net.unreachable', `${to} is not connected`, { peer: to });
    await stream.send(frame, signal);
    this.#node.heard(stream.remote.publicKey);
  }

  subscribe(listener: LinkListener): () => void {
    return this.#listeners.add(listener);
  }

  #adopt(stream: FrameStream): void {
    const { id } = stream.remote;
    const before = this.#streams.get(id);
    stream.listen({
      // Who it is has been proven to Noise: nobody speaks as another here.
      onFrame: (frame) => this.#listeners.frame(frame, id),
      onEnd: () => {
        if (this.#streams.get(id) !== stream) return;
        this.#streams.delete(id);
        this.#listeners.peer(id, false);
      },
    });
    if (this.#state !== 'started' || roleOf(id) !== 'device') {
      stream.abort(new ShoalError('closed', 'nobody is here'));
      return;
    }
    if (!stream.isOpen) return;
    this.#streams.set(id, stream);
    before?.abort(new ShoalError('closed', 'the same device has opened another stream'));
    this.#listeners.peer(id, true);
  }
}
