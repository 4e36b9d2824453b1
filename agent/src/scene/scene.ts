import type { Box } from '@shoal/models';
import type { SceneCrossing, SceneEvent, SceneParameters, SceneResult, SceneTrack } from '@shoal/protocol';
import { Followed, type PictureTime } from './followed.ts';
import { footOf } from './geometry.ts';
import { MotionGate, type MotionPicture, unknownShare } from './motion-gate.ts';
import type { Sighting, Track } from './track.ts';
import { scoresFrom, Tracker } from './tracker.ts';

/** What moves by itself: of a chair nobody wants to hear that it came. */
const animateLabels: readonly string[] = [
  ...['person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train', 'truck', 'boat'],
  ...['bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe'],
];

/** While nothing moves the model looks all the same each so many seconds: often where somebody stands, else seldom. */
const lookAnywaySeconds = { somebody: 5, nobody: 30 };
/** Without a picture for longer than this, ms, and everybody is taken to be gone. */
const longestPauseMs = 20_000;
/** Who is not found for at most so long, s, is still shown, where it is expected. */
const shownLostSeconds = 0.4;

/** What a picture told, as a result says it. */
export type SceneNews = Pick<SceneResult, 'motion' | 'looked' | 'tracks' | 'unseen' | 'crossings' | 'events'>;

/**
 * One camera's scene: which pictures are worth the model's time, who is on them, where they go, and what of that is an event. Pure: pictures and
 * times come in, news goes out.
 */
export class Scene {
  readonly #parameters: SceneParameters;
  readonly #newEventId: (atMs: number) => string;
  readonly #labels: ReadonlySet<string>;
  readonly #gate: MotionGate | undefined;
  readonly #tracker: Tracker;
  readonly #followed = new Map<number, Followed>();
  /** Ends that are not told yet. */
  readonly #cutShort: SceneEvent[] = [];
  #motion = 0;
  #lastPictureMs: number | undefined;
  #lastMovedMs = Number.NEGATIVE_INFINITY;
  #lastLookedMs = Number.NEGATIVE_INFINITY;

  constructor(parameters: SceneParameters, newEventId: (atMs: number) => string) {
    this.#parameters = parameters;
    this.#newEventId = newEventId;
    this.#labels = new Set(parameters.labels ?? animateLabels);
    this.#gate = parameters.motion && new MotionGate(parameters.motion);
    this.#tracker = new Tracker(scoresFrom(parameters.minScore));
  }

  /** Whether the model should see this picture: something moves, has just moved, or it has not looked for long. */
  isWorthALook(picture: MotionPicture, { capturedMonotonicMs: nowMs }: PictureTime): boolean {
    this.#lastPause(nowMs);
    if (!this.#gate) return true;
    const { share, moves } = this.#gate.look(picture, nowMs);
    this.#motion = moves ? share : 0;
    if (moves || share === unknownShare) this.#lastMovedMs = nowMs;
    const quietMs = (this.#parameters.motion?.quietSeconds ?? 0) * 1_000;
    const anywayMs = lookAnywaySeconds[this.#followed.size > 0 ? 'somebody' : 'nobody'] * 1_000;
    return nowMs - this.#lastMovedMs <= quietMs || nowMs - this.#lastLookedMs >= anywayMs;
  }

  /** The model has seen the picture and found this on it, boxes in pixels of the picture. */
  look(
    found: readonly Sighting[],
    picture: { readonly width: number; readonly height: number },
    { capturedAtMs, capturedMonotonicMs }: PictureTime,
  ): SceneNews {
    this.#lastLookedMs = capturedMonotonicMs;
    const wanted = found.filter(({ label }) => this.#labels.has(label));
    const gone = this.#tracker.update(wanted, capturedMonotonicMs, picture);
    const events: SceneEvent[] = [...this.#cutShort.splice(0), ...gone.flatMap((track) => this.#leave(track))];
    const crossings: SceneCrossing[] = [];
    for (const track of this.#tracker.tracks) {
      const followed = this.#follow(track, { capturedAtMs, capturedMonotonicMs });
      if (track.missed === 0) {
        for (const crossed of followed.seen(footOf(track.box, picture), capturedMonotonicMs))
          crossings.push({ ...crossed, track: track.id, label: track.label });
      }
      const news = followed.news(capturedMonotonicMs);
      if (news) events.push(news);
    }
    return { motion: this.#motion, looked: true, ...this.#present(picture), crossings, events };
  }

  /** Nothing moved, and so everybody is where they were. */
  unchanged(picture: { readonly width: number; readonly height: number }): SceneNews {
    return { motion: this.#motion, looked: false, ...this.#present(picture), crossings: [], events: [] };
  }

  /** After a long time without pictures nobody knows what became of whom. */
  #lastPause(nowMs: number): void {
    const pauseMs = nowMs - (this.#lastPictureMs ?? nowMs);
    this.#lastPictureMs = nowMs;
    if (pauseMs <= longestPauseMs) return;
    this.#cutShort.push(...this.#tracker.forget().flatMap((track) => this.#leave(track)));
    // What it ends is to be told.
    this.#lastLookedMs = Number.NEGATIVE_INFINITY;
  }

  #follow(track: Track, time: PictureTime): Followed {
    let followed = this.#followed.get(track.id);
    if (!followed) {
      followed = new Followed(this.#newEventId(time.capturedAtMs), track, time, this.#parameters);
      this.#followed.set(track.id, followed);
    }
    return followed;
  }

  #leave(track: Track): SceneEvent[] {
    const followed = this.#followed.get(track.id);
    this.#followed.delete(track.id);
    return followed ? [followed.end()] : [];
  }

  #present(picture: { readonly width: number; readonly height: number }): Pick<SceneNews, 'tracks' | 'unseen'> {
    const tracks: SceneTrack[] = [];
    const unseen: string[] = [];
    for (const track of this.#tracker.tracks) {
      const followed = this.#followed.get(track.id);
      if (track.missedSeconds <= shownLostSeconds) tracks.push(shown(track, followed, picture));
      else if (followed) unseen.push(followed.event);
    }
    return { tracks, unseen };
  }
}

function shown(
  track: Track,
  followed: Followed | undefined,
  picture: { readonly width: number; readonly height: number },
): SceneTrack {
  return {
    track: track.id,
    label: track.label,
    score: track.score,
    box: clipped(track.box, picture),
    zones: followed?.zones ?? [],
    ...(followed && { event: followed.event }),
    ...(followed?.isStill && { still: true as const }),
    ...(track.missed > 0 && { lost: true as const }),
  };
}

function clipped({ x, y, width, height }: Box, picture: { readonly width: number; readonly height: number }): Box {
  const [left, top] = [Math.max(0, x), Math.max(0, y)];
  return {
    x: left,
    y: top,
    width: Math.max(0, Math.min(picture.width, x + width) - left),
    height: Math.max(0, Math.min(picture.height, y + height) - top),
  };
}
