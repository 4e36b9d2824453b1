import { gossipsub, type Message, TopicValidatorResult } from '@libp2p/gossipsub';
import type { PeerId as Libp2pPeerId } from '@libp2p/interface';

/** What devices say about themselves, to whom it concerns. */
const topic = '/shoal/adverts/1';
/** Nobody forwards adverts but the coordinator, so there is hardly a mesh to look after, ms. */
const heartbeatMs = 10_000;

export interface AdvertsOptions {
  /** Hears adverts; a node that does not only makes them, or a fleet's start would cost the square of its size. */
  readonly hears: boolean;
  readonly maxBytes: number;
  isMember(peer: Libp2pPeerId): boolean;
}

type AdvertListener = (peer: Libp2pPeerId, advert: Uint8Array) => void;
type Gossip = ReturnType<ReturnType<typeof gossipsub>>;

/** Adverts of capabilities over gossipsub, signed by who makes them. They may come late, twice or never: hints, no more. */
export class Adverts {
  readonly #options: AdvertsOptions;
  readonly #listeners = new Set<AdvertListener>();
  #gossip: Gossip | undefined;
  #last: Uint8Array | undefined;

  constructor(options: AdvertsOptions) {
    this.#options = options;
  }

  /** For the services of a libp2p node, which starts and stops it. */
  readonly service = (components: Parameters<ReturnType<typeof gossipsub>>[0]): Gossip => {
    const { maxBytes } = this.#options;
    const gossip = gossipsub({
      globalSignaturePolicy: 'StrictSign',
      allowPublishToZeroTopicPeers: true,
      allowedTopics: [topic],
      heartbeatInterval: heartbeatMs,
      // Two of them, with what is around each.
      maxInboundDataLength: 2 * maxBytes + 1024,
    })(components);
    gossip.topicValidators.set(topic, (_peer, message) => this.#judge(message));
    gossip.addEventListener('message', ({ detail }) => {
      if (detail.topic === topic && detail.type === 'signed') this.#tell(detail.from, detail.data);
    });
    // Nobody kept what was said before they were there.
    gossip.addEventListener('subscription-change', () => this.#publish());
    this.#gossip = gossip;
    return gossip;
  };

  /** To be called when the node has started. */
  started(): void {
    if (this.#options.hears) this.#gossip?.subscribe(topic);
  }

  /** Says it now, and again to who comes later. */
  advertise(advert: Uint8Array): void {
    this.#last = advert;
    this.#publish();
  }

  subscribe(listener: AdvertListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #publish(): void {
    if (this.#last) this.#gossip?.publish(topic, this.#last).catch(() => {});
  }

  #judge(message: Message): TopicValidatorResult {
    const { isMember, maxBytes } = this.#options;
    if (message.type !== 'signed' || message.data.length > maxBytes) return TopicValidatorResult.Reject;
    return isMember(message.from) ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore;
  }

  #tell(from: Libp2pPeerId, advert: Uint8Array): void {
    for (const listener of this.#listeners) listener(from, advert);
  }
}
