import type { DecodeLevel } from '@shoal/protocol';
import type { CameraGroup } from '../fleet/index.ts';
import type { Watching } from './device-cameras.ts';

/** What came of the cameras until now. All times are virtual. */
export interface CameraFigures {
  /** They were there, ms; of that, somebody watched, and how they were decoded then. */
  readonly thereMs: number;
  readonly watchedMs: number;
  readonly levelMs: Readonly<Record<DecodeLevel, number>>;
  /** Frames that were asked for, and that were analysed. */
  readonly asked: number;
  readonly analysed: number;
  /** From one device to another. */
  readonly moves: number;
  /** Nobody watched though somebody had before, ms each. */
  readonly gapsMs: readonly number[];
}

/** One camera of the fleet, as the world sees it: who really watches it, and what comes of that. */
export class FleetCamera {
  readonly group: CameraGroup;
  readonly #watching = new Map<string, Watching>();
  readonly #levelMs: Record<DecodeLevel, number> = { full: 0, skip: 0, keyframes: 0, substream: 0 };
  readonly #gapsMs: number[] = [];
  /** Where it was bound to last since it came. */
  #boundTo: string | undefined;
  #isThere = false;
  #thereMs = 0;
  #watchedMs = 0;
  #asked = 0;
  #analysed = 0;
  #moves = 0;
  #settledMs = 0;
  /** Since when nobody watches, though somebody did. */
  #unwatchedMs: number | undefined;

  constructor(group: CameraGroup) {
    this.group = group;
  }

  comes(nowMs: number): void {
    this.settle(nowMs);
    this.#isThere = true;
  }

  goes(nowMs: number): void {
    this.settle(nowMs);
    this.#endGap(nowMs);
    this.#watching.clear();
    this.#isThere = false;
    this.#boundTo = undefined;
  }

  boundOn(device: string): void {
    if (this.#boundTo !== undefined && this.#boundTo !== device) this.#moves += 1;
    this.#boundTo = device;
  }

  /** @param watching what the device sees of it from now on. */
  seenBy(device: string, watching: Watching | undefined, nowMs: number): void {
    this.settle(nowMs);
    const wasWatched = this.#watching.size > 0;
    if (watching) this.#watching.set(device, watching);
    else this.#watching.delete(device);
    const isWatched = this.#watching.size > 0;
    if (isWatched) this.#endGap(nowMs);
    else if (wasWatched) this.#unwatchedMs = nowMs;
  }

  settle(nowMs: number): void {
    const ms = nowMs - this.#settledMs;
    this.#settledMs = nowMs;
    if (!this.#isThere) return;
    this.#thereMs += ms;
    this.#asked += (this.group.fps * ms) / 1_000;
    const best = this.#best();
    if (!best) return;
    this.#watchedMs += ms;
    this.#levelMs[best.decode] += ms;
    this.#analysed += (best.fps * ms) / 1_000;
  }

  get figures(): CameraFigures {
    const open = this.#unwatchedMs === undefined ? [] : [this.#settledMs - this.#unwatchedMs];
    return {
      thereMs: this.#thereMs,
      watchedMs: this.#watchedMs,
      levelMs: { ...this.#levelMs },
      asked: this.#asked,
      analysed: this.#analysed,
      moves: this.#moves,
      gapsMs: [...this.#gapsMs, ...open],
    };
  }

  /** While it is handed over two may watch: what both see is counted once. */
  #best(): Watching | undefined {
    let best: Watching | undefined;
    for (const watching of this.#watching.values()) if (!best || watching.fps > best.fps) best = watching;
    return best;
  }

  #endGap(nowMs: number): void {
    if (this.#unwatchedMs !== undefined) this.#gapsMs.push(nowMs - this.#unwatchedMs);
    this.#unwatchedMs = undefined;
  }
}

/** Of all of them together. */
export function sumOfFigures(all: readonly CameraFigures[]): CameraFigures {
  const sum = (of: (figures: CameraFigures) => number) => all.reduce((total, each) => total + of(each), 0);
  return {
    thereMs: sum(({ thereMs }) => thereMs),
    watchedMs: sum(({ watchedMs }) => watchedMs),
    levelMs: {
      full: sum(({ levelMs }) => levelMs.full),
      skip: sum(({ levelMs }) => levelMs.skip),
      keyframes: sum(({ levelMs }) => levelMs.keyframes),
      substream: sum(({ levelMs }) => levelMs.substream),
    },
    asked: sum(({ asked }) => asked),
    analysed: sum(({ analysed }) => analysed),
    moves: sum(({ moves }) => moves),
    gapsMs: all.flatMap(({ gapsMs }) => gapsMs),
  };
}
