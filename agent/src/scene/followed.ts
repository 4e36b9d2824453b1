import type { Box } from '@shoal/models';
import type { Point, SceneCrossing, SceneEvent, SceneParameters } from '@shoal/protocol';
import { Whereabouts } from './regions.ts';
import type { Track } from './track.ts';

/** Who stays within this share of its own height for so long, s, is still. */
const stillWithin = 0.3;
const stillSeconds = 10;
/** A look at it has to be better by this to be worth telling. */
const betterBy = 0.1;
/** Between two updates of an event there is at least this, ms. */
const updateEveryMs = 1_000;

type Phase = SceneEvent['phase'];

/** What is known of one thing beyond its track: where it has been, and the event that its stay is. */
export class Followed {
  readonly event: string;
  readonly #track: Track;
  readonly #startedAtMs: number;
  readonly #whereabouts: Whereabouts;
  #anchor: { readonly x: number; readonly y: number; readonly sinceMs: number } | undefined;
  #still = false;
  #topScore = 0;
  #topBox: Box;
  #told: { readonly atMs: number; readonly topScore: number; readonly zones: number } | undefined;
  #lastSeenAtMs: number;

  constructor(event: string, track: Track, atMs: number, parameters: Pick<SceneParameters, 'zones' | 'lines'>) {
    this.event = event;
    this.#track = track;
    this.#startedAtMs = atMs;
    this.#lastSeenAtMs = atMs;
    this.#whereabouts = new Whereabouts(parameters);
    this.#topBox = track.box;
  }

  get isStill(): boolean {
    return this.#still;
  }

  get zones(): readonly string[] {
    return this.#whereabouts.zones;
  }

  /** It was found on the picture of this time, ms. Returns the lines that it went across. */
  seen(foot: Point, atMs: number): readonly Pick<SceneCrossing, 'line' | 'direction'>[] {
    this.#lastSeenAtMs = atMs;
    if (this.#track.score > this.#topScore) {
      this.#topScore = this.#track.score;
      this.#topBox = this.#track.box;
    }
    this.#followStillness(atMs);
    return this.#whereabouts.at(foot, atMs);
  }

  /** What there is to tell of its event now. */
  news(atMs: number): SceneEvent | undefined {
    const zones = this.#whereabouts.dwellMs.size;
    if (this.#told === undefined) return this.#tell('start', atMs);
    const better = this.#topScore >= this.#told.topScore + betterBy && atMs - this.#told.atMs >= updateEveryMs;
    return better || zones > this.#told.zones ? this.#tell('update', atMs) : undefined;
  }

  end(): SceneEvent {
    return { ...this.#tell('end', this.#lastSeenAtMs), endedAtMs: this.#lastSeenAtMs };
  }

  #tell(phase: Phase, atMs: number): SceneEvent {
    const { dwellMs } = this.#whereabouts;
    this.#told = { atMs, topScore: this.#topScore, zones: dwellMs.size };
    return {
      id: this.event,
      phase,
      label: this.#track.label,
      track: this.#track.id,
      startedAtMs: this.#startedAtMs,
      zones: Object.fromEntries(dwellMs),
      topScore: this.#topScore,
      box: this.#topBox,
    };
  }

  #followStillness(atMs: number): void {
    const { x, y, width, height } = this.#track.box;
    const [middleX, middleY] = [x + width / 2, y + height / 2];
    const anchor = this.#anchor;
    if (anchor && Math.hypot(middleX - anchor.x, middleY - anchor.y) <= stillWithin * height) {
      this.#still = atMs - anchor.sinceMs >= stillSeconds * 1_000;
      return;
    }
    this.#anchor = { x: middleX, y: middleY, sinceMs: atMs };
    this.#still = false;
  }
}
