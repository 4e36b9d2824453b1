import type { PeerId } from '../identity/index.ts';
import type { Link } from '../link/index.ts';

export interface HeardFrame {
  readonly from: PeerId;
  readonly bytes: Uint8Array;
}

/** What a listener heard on a link, to be waited for. */
export interface Heard {
  /** Frames so far, those already taken with {@link next} included. */
  readonly count: number;
  /** The oldest frame that was not taken yet; waits for one. */
  next(): Promise<HeardFrame>;
  /** Resolves when the last hint about a peer is, or becomes, this one. */
  reachable(peer: PeerId, reachable: boolean): Promise<void>;
}

export function listenTo(link: Link): Heard {
  const frames: HeardFrame[] = [];
  const hints = new Map<PeerId, boolean>();
  const waiting = new Set<() => void>();
  let count = 0;
  const wake = () => {
    for (const resume of waiting) resume();
    waiting.clear();
  };
  const change = () => new Promise<void>((resolve) => waiting.add(resolve));
  link.subscribe({
    onFrame: (frame, from) => {
      count += 1;
      frames.push({ from, bytes: Uint8Array.from(frame) });
      wake();
    },
    onPeer: (peer, reachable) => {
      hints.set(peer, reachable);
      wake();
    },
  });
  return {
    get count() {
      return count;
    },
    async next() {
      for (;;) {
        const frame = frames.shift();
        if (frame) return frame;
        await change();
      }
    },
    async reachable(peer, reachable) {
      // A peer that was never heard of cannot be reached.
      while ((hints.get(peer) ?? false) !== reachable) await change();
    },
  };
}
