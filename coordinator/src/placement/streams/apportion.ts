import type { DecodeLevel } from '@shoal/protocol';
import { fullLoad } from '../estimate.ts';
import { type Rung, roundingError } from './decode-ladder.ts';

/** A camera among those of its device. */
export interface Asker {
  readonly id: string;
  /** Who has less gives way first. */
  readonly priority: number;
  /** Of equals, who came later gives way first; any scale. */
  readonly since: number;
  /** Frames a second that are wanted. */
  readonly fps: number;
  /** Part of the device that one frame a second takes; 0 where nothing was measured: a guess takes nothing from anybody. */
  readonly loadPerFps: number;
  /** {@link decodeLadder}, at least one. */
  readonly ladder: readonly Rung[];
}

/** What a camera is given. */
export interface Portion {
  readonly decode: DecodeLevel;
  /** Frames a second that it may have analysed. */
  readonly fps: number;
}

export interface Apportionment {
  readonly portions: ReadonlyMap<string, Portion>;
  /** Those for whom nothing is left, who gave way first first. */
  readonly out: readonly string[];
}

/** What of the wanted rate a camera may be left with, step by step. */
const rates = [1, 0.75, 0.5, 0.35, 0.2] as const;
/** Below this part of the wanted rate it is not worth watching. */
export const leastRate = 0.2;

/**
 * Divides a device among its cameras. When not everything fits, those of the least priority give way first: they are decoded at lower levels, then
 * analysed less often, then have to go. Equals share: each goes down a step before any goes down two. The last one always stays, and runs as fast as it can.
 * @param decodeCores that there are for decoding.
 * @param load that there is for their frames, a part of the device.
 */
export function apportion(askers: readonly Asker[], decodeCores: number, load: number = fullLoad): Apportionment {
  const shares = new Shares(askers, decodeCores, load);
  const dropped: Share[] = [];
  while (!shares.fit && !(shares.left.length === 1 && shares.isAtItsLeast)) {
    if (!shares.lowerOne()) dropped.unshift(...shares.dropOne());
  }
  shares.raise();
  const out = dropped.filter((share) => !shares.takeBack(share)).map(({ asker }) => asker.id);
  return { portions: new Map(shares.left.map((share) => [share.asker.id, portionOf(share)])), out: out.reverse() };
}

interface Share {
  readonly asker: Asker;
  rung: number;
  rate: number;
}

class Shares {
  /** The first to give way first. */
  left: Share[];
  readonly #decodeCores: number;
  readonly #load: number;

  constructor(askers: readonly Asker[], decodeCores: number, load: number) {
    this.left = askers.map((asker) => ({ asker, rung: 0, rate: 0 })).sort(byRank);
    this.#decodeCores = decodeCores;
    this.#load = load;
  }

  get fit(): boolean {
    return !this.#isOverDecode && !this.#isOverLoad;
  }

  /** Nothing more can be taken from the last one without sending it away. */
  get isAtItsLeast(): boolean {
    const [last] = this.left;
    return !last || !this.#isOverDecode || last.rung === last.asker.ladder.length - 1;
  }

  /** Takes one step from somebody of the least priority; `false` when nobody of it can give way any more. */
  lowerOne(): boolean {
    const least = this.left[0]?.asker.priority;
    const class_ = this.left.filter(({ asker }) => asker.priority === least);
    const lower = (of: 'rung' | 'rate', last: (share: Share) => number) => {
      const [first] = class_.filter((share) => share[of] < last(share)).sort((a, b) => a[of] - b[of]);
      if (first) first[of] += 1;
      return first !== undefined;
    };
    if (this.#isOverDecode && lower('rung', ({ asker }) => asker.ladder.length - 1)) return true;
    return this.#isOverLoad && lower('rate', ({ asker }) => (asker.loadPerFps > 0 ? rates.length - 1 : 0));
  }

  dropOne(): readonly Share[] {
    return this.left.splice(0, 1);
  }

  /** Others gave way after it had gone: there may be room for the least of it after all. */
  takeBack(share: Share): boolean {
    share.rung = share.asker.ladder.length - 1;
    share.rate = rates.length - 1;
    this.left.unshift(share);
    if (!this.fit) {
      this.left.shift();
      return false;
    }
    this.#raiseBoth(share);
    return true;
  }

  /** Gives back what there is room for after all, to the first in rank first. */
  raise(): void {
    const [only] = this.left;
    if (only && this.left.length === 1) only.rate = 0;
    for (const share of this.left.toReversed()) this.#raiseBoth(share);
  }

  #raiseBoth(share: Share): void {
    this.#raise(share, 'rung');
    this.#raise(share, 'rate');
  }

  #raise(share: Share, of: 'rung' | 'rate'): void {
    const before = share[of];
    for (let step = 0; step < before; step++) {
      share[of] = step;
      if (this.fit) return;
    }
    share[of] = before;
  }

  get #isOverDecode(): boolean {
    let cores = 0;
    for (const share of this.left) cores += rungOf(share)?.cores ?? 0;
    return cores > this.#decodeCores + roundingError;
  }

  get #isOverLoad(): boolean {
    let load = 0;
    for (const share of this.left) load += share.asker.loadPerFps * framesOf(share);
    return load > this.#load + roundingError;
  }
}

/** Less priority first; of equals the newest first. */
function byRank({ asker: a }: Share, { asker: b }: Share): number {
  return a.priority - b.priority || b.since - a.since || (a.id < b.id ? 1 : -1);
}

function rungOf({ asker, rung }: Share): Rung | undefined {
  return asker.ladder[rung];
}

function rateOf({ asker, rate }: Share): number {
  return asker.fps * (rates[rate] ?? leastRate);
}

/** That come and are analysed. */
function framesOf(share: Share): number {
  return Math.min(rateOf(share), rungOf(share)?.fps ?? 0);
}

function portionOf(share: Share): Portion {
  return { decode: rungOf(share)?.level ?? 'full', fps: rateOf(share) };
}
