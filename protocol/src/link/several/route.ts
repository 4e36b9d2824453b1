import type { PeerId } from '../../identity/index.ts';

/** Decides over which of several links a peer is spoken to. Links are numbered in the order of preference. */
export interface Route {
  /** In which order to try; every link is named once. @param reachable those that say that they reach the peer */
  order(peer: PeerId, reachable: ReadonlySet<number>): readonly number[];
  /** The link is given a frame that the peer has to answer. */
  asked(peer: PeerId, link: number): void;
  /** And did not take it. */
  refused(peer: PeerId, link: number): void;
  /** A frame came over the link that says it is from the peer. */
  heard(peer: PeerId, link: number): void;
  /** The link says that it reaches the peer now, or does not any more. */
  changed(peer: PeerId, link: number, isReachable: boolean): void;
}
