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

/** When a picture was taken: by the device's wall clock, which may be set at any time, and by its monotonic one; ms. */
export interface PictureTime {
  readonly capturedAtMs: number;
  readonly capturedMonotonicMs: number;
}

/** What is known of one thing beyond its track: where it has been, and the event that its stay is. */
export class Followed {
  readonly event: string;
  readonly #track: Track;
  readonly #started: PictureTime;
  readonly #whereabouts: Whereabouts;
  #anchor: { readonly x: number; readonly y: number; readonly sinceMs: number } | undefined;
  #still = false;
  #topScore = 0;
  #topBox: Box;
  #told: { readonly ms: number; readonly topScore: number; readonly zones: number } | undefined;
  #lastSeenMs: number;

  constructor(event: string, track: Track, started: PictureTime, parameters: Pick<SceneParameters, 'zones' | 'lines'>) {
    this.event = event;
    this.#track = track;
    this.#started = started;
    this.#lastSeenMs = started.capturedMonotonicMs;
    this.#whereabouts = new Whereabouts(parameters);
    this.#topBox = track.box;
  }

  get isStill(): boolean {
    return this.#still;
  }

  get zones(): readonly string[] {
    return this.#whereabouts.zones;
  }

  /** It was found on the picture of this time, monotonic ms. Returns the lines that it went across. */
  seen(foot: Point, nowMs: number): readonly Pick<SceneCrossing, 'line' | 'direction'>[] {
    this.#lastSeenMs = nowMs;
    if (this.#track.score > this.#topScore) {
      this.#topScore = this.#track.score;
      this.#topBox = this.#track.box;
    }
    this.#followStillness(nowMs);
    return this.#whereabouts.at(foot, nowMs);
  }

  /** What there is to tell of its event now, monotonic ms. */
  news(nowMs: number): SceneEvent | undefined {
    const zones = this.#whereabouts.dwellMs.size;
    if (this.#told === undefined) return this.#tell('start', nowMs);
    const better = this.#topScore >= this.#told.topScore + betterBy && nowMs - this.#told.ms >= updateEveryMs;
    return better || zones > this.#told.zones ? this.#tell('update', nowMs) : undefined;
  }

  end(): SceneEvent {
    const { capturedAtMs, capturedMonotonicMs } = this.#started;
    const endedAtMs = Math.round(capturedAtMs + this.#lastSeenMs - capturedMonotonicMs);
    return { ...this.#tell('end', this.#lastSeenMs), endedAtMs };
  }

  #tell(phase: Phase, nowMs: number): SceneEvent {
    const { dwellMs } = this.#whereabouts;
    this.#told = { ms: nowMs, topScore: this.#topScore, zones: dwellMs.size };
    return {
      id: this.event,
      phase,
      label: this.#track.label,
      track: this.#track.id,
      startedAtMs: this.#started.capturedAtMs,
      zones: Object.fromEntries(dwellMs),
      topScore: this.#topScore,
      box: this.#topBox,
    };
  }

  #followStillness(nowMs: number): void {
    const { x, y, width, height } = this.#track.box;
    const [middleX, middleY] = [x + width / 2, y + height / 2];
    const anchor = this.#anchor;
    if (anchor && Math.hypot(middleX - anchor.x, middleY - anchor.y) <= stillWithin * height) {
      this.#still = nowMs - anchor.sinceMs >= stillSeconds * 1_000;
      return;
    }
    this.#anchor = { x: middleX, y: middleY, sinceMs: nowMs };
    this.#still = false;
  }
}
