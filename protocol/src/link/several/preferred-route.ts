import type { PeerId } from '../../identity/index.ts';
import type { Clock } from '../../runtime/index.ts';
import { LinkMeter } from './link-meter.ts';
import type { Route } from './route.ts';

export interface PreferredRouteOptions {
  /** A link on which nothing came back for so long, though it was asked again, is not trusted any more, ms: less than two heartbeats. */
  readonly doubtMs: number;
  /** A better link that is not trusted is tried with one frame after this time, then after twice that, and so on up to `trialMaxMs`. */
  readonly trialFirstMs: number;
  readonly trialMaxMs: number;
}

const defaultPreferredRouteOptions: PreferredRouteOptions = {
  doubtMs: 1_500,
  trialFirstMs: 5_000,
  trialMaxMs: 120_000,
};

interface State {
  readonly meter: LinkMeter;
  /** Not trusted: when it may be tried again, monotonic ms; `undefined`: trusted. */
  trialMs: number | undefined;
  waitMs: number;
}

/**
 * A device's way to its one coordinator: the best link that answers. A device asks all the time and gets answers, so it notices a link that has become
 * silent though it does not say so. It goes over to another one, tries the better one with a frame now and then, and moves back when that is answered.
 */
export class PreferredRoute implements Route {
  readonly #clock: Clock;
  readonly #options: PreferredRouteOptions;
  readonly #states: readonly State[];

  constructor(clock: Clock, links: number, options: Partial<PreferredRouteOptions> = {}) {
    this.#clock = clock;
    this.#options = { ...defaultPreferredRouteOptions, ...options };
    const { trialFirstMs: waitMs } = this.#options;
    this.#states = Array.from({ length: links }, () => ({ meter: new LinkMeter(), trialMs: undefined, waitMs }));
  }

  /** What was measured of each link, in order. */
  get meters(): readonly LinkMeter[] {
    return this.#states.map(({ meter }) => meter);
  }

  /** The link that is in use; `undefined`: none answers. */
  inUse(reachable: ReadonlySet<number>): number | undefined {
    const at = this.#states.findIndex(({ trialMs }, link) => reachable.has(link) && trialMs === undefined);
    return at < 0 ? undefined : at;
  }

  order(_peer: PeerId, reachable: ReadonlySet<number>): readonly number[] {
    const nowMs = this.#clock.monotonicMs();
    this.#doubt(nowMs);
    const inUse = this.inUse(reachable);
    const first = this.#trial(reachable, inUse, nowMs) ?? inUse;
    const others = this.#states.map((_, link) => link).filter((link) => link !== first);
    others.sort((a, b) => this.#rank(a, reachable) - this.#rank(b, reachable) || this.#longestUnused(a, b));
    return first === undefined ? others : [first, ...others];
  }

  asked(_peer: PeerId, link: number): void {
    this.#state(link).meter.asked(this.#clock.monotonicMs());
  }

  refused(_peer: PeerId, link: number): void {
    this.#state(link).meter.cut();
  }

  heard(_peer: PeerId, link: number): void {
    const state = this.#state(link);
    state.meter.heard(this.#clock.monotonicMs());
    this.#trust(state);
  }

  /** A transport that says that it is up again is believed until it has been silent once more. */
  changed(_peer: PeerId, link: number, isReachable: boolean): void {
    if (isReachable) this.#trust(this.#state(link));
    else this.#state(link).meter.cut();
  }

  #doubt(nowMs: number): void {
    for (const state of this.#states) {
      if (state.trialMs !== undefined || !state.meter.isSilent(nowMs, this.#options.doubtMs)) continue;
      state.trialMs = nowMs + state.waitMs;
    }
  }

  /** A link better than the one in use whose time has come: one frame goes over it. */
  #trial(reachable: ReadonlySet<number>, inUse: number | undefined, nowMs: number): number | undefined {
    const due = this.#states.findIndex(({ trialMs = 0 }, link) => reachable.has(link) && trialMs <= nowMs);
    if (inUse === undefined || due < 0 || due >= inUse) return undefined;
    const state = this.#state(due);
    state.waitMs = Math.min(this.#options.trialMaxMs, 2 * state.waitMs);
    state.trialMs = nowMs + state.waitMs;
    return due;
  }

  #trust(state: State): void {
    state.trialMs = undefined;
    state.waitMs = this.#options.trialFirstMs;
  }

  /** Those that are trusted first, then those that are up, then the rest. */
  #rank(link: number, reachable: ReadonlySet<number>): number {
    if (!reachable.has(link)) return 2;
    return this.#state(link).trialMs === undefined ? 0 : 1;
  }

  /** When none answers, each has its turn. */
  #longestUnused(a: number, b: number): number {
    return this.#state(a).meter.lastAskedMs - this.#state(b).meter.lastAskedMs || a - b;
  }

  #state(link: number): State {
    return this.#states[link] as State;
  }
}
