import type { Box } from '@shoal/models';
import { likeness } from './appearance.ts';
import { assign } from './assignment.ts';
import { grown, overlap } from './geometry.ts';
import { type Sighting, Track } from './track.ts';

export interface TrackerOptions {
  /** A thing this sure is followed from then on; less sure ones only carry on what is followed already. 0..1 */
  readonly startScore: number;
  readonly strongScore: number;
  readonly weakScore: number;
  /** A thing that is not found for so long is gone, s of looking. */
  readonly lostSeconds: number;
  /** Pictures on which it has to be found to be believed. */
  readonly confirmHits: number;
  /** Things that are followed at most. */
  readonly limit: number;
}

const defaultTrackerOptions: TrackerOptions = {
  startScore: 0.45,
  strongScore: 0.3,
  weakScore: 0.15,
  lostSeconds: 3,
  confirmHits: 2,
  limit: 100,
};

/** What a thing has to score to be followed from then on, and to be carried on: what is asked for, and never more for the second than for the first. */
export function scoresFrom(
  startScore = defaultTrackerOptions.startScore,
): Pick<TrackerOptions, 'startScore' | 'strongScore' | 'weakScore'> {
  const { strongScore, weakScore } = defaultTrackerOptions;
  return { startScore, strongScore: Math.min(strongScore, startScore), weakScore: Math.min(weakScore, startScore) };
}

/** Time between two pictures counts as this much at most, s: nobody knows what happened in a longer pause. */
const longestStep = 1;
/** Boxes of two labels that overlap by more are one thing. */
const sameThing = 0.8;
/** What a pair of a track and a sighting may cost, by round: 1 is no overlap at all. */
const mostCost = { strong: 0.8, weak: 0.6, young: 0.8 };
/** How much colours and another label count beside the overlap. */
const lookWeight = 0.5;
const otherLabel = 0.15;
/** Both boxes are made larger by this and by what is not known of where the thing is, in its heights, before they are compared. */
const growBy = 0.05;
const growAtMost = 0.5;
/** Pictures further apart than this, s, do not show whether a thing is found again: it is believed at once. */
const sparse = 2;
/** Outside of the picture for so long, s, and it has left. */
const leftSeconds = 0.4;

/**
 * Follows things from picture to picture and gives each a number. As ByteTrack (arXiv 2110.06864) it uses the unsure sightings too, but only to carry on
 * what it follows; boxes are compared grown by what is uncertain, which holds at few pictures a second (C-BIoU, arXiv 2211.14317), and colours tell apart who crossed behind whom.
 */
export class Tracker {
  readonly #options: TrackerOptions;
  #tracks: Track[] = [];
  #nextId = 1;
  #lastMs: number | undefined;

  constructor(options: Partial<TrackerOptions> = {}) {
    this.#options = { ...defaultTrackerOptions, ...options };
  }

  /** All that are believed, those that are not seen just now included. */
  get tracks(): readonly Track[] {
    return this.#tracks.filter(({ confirmed }) => confirmed);
  }

  /** Takes in what was found on the next picture. `atMs` never goes backwards. Returns the tracks that are gone for good. */
  update(
    found: readonly Sighting[],
    atMs: number,
    picture: { readonly width: number; readonly height: number },
  ): readonly Track[] {
    const sinceLast = Math.max(0, atMs - (this.#lastMs ?? atMs)) / 1_000;
    const seconds = Math.min(longestStep, sinceLast);
    this.#lastMs = atMs;
    for (const track of this.#tracks) track.predict(seconds);
    const { strong, weak } = this.#sorted(found);
    const free = new Set(this.#tracks);
    const left = this.#match(confirmedOf(free), strong, mostCost.strong, free, atMs);
    this.#match(seenLately(free), weak, mostCost.weak, free, atMs);
    const fresh = this.#match(
      [...free].filter(({ confirmed }) => !confirmed),
      left,
      mostCost.young,
      free,
      atMs,
    );
    for (const track of free) track.notFound(seconds);
    const gone = this.#dropLost(picture);
    this.#begin(fresh, atMs);
    const enough = sinceLast > sparse ? 1 : this.#options.confirmHits;
    for (const track of this.#tracks) if (track.hits >= enough) track.confirmed = true;
    return gone;
  }

  /** Nobody knows what became of anything: all are gone. Returns those that were believed. */
  forget(): readonly Track[] {
    const gone = this.tracks;
    this.#tracks = [];
    return gone;
  }

  /** Strongest first, of several labels for one thing only the strongest. */
  #sorted(found: readonly Sighting[]): { readonly strong: Sighting[]; readonly weak: Sighting[] } {
    const { strongScore, weakScore } = this.#options;
    const kept: Sighting[] = [];
    for (const sighting of [...found].sort((a, b) => b.score - a.score)) {
      if (sighting.score < weakScore) break;
      if (!kept.some(({ box }) => overlap(box, sighting.box) > sameThing)) kept.push(sighting);
    }
    return {
      strong: kept.filter(({ score }) => score >= strongScore),
      weak: kept.filter(({ score }) => score < strongScore),
    };
  }

  /** Gives sightings to tracks, takes those tracks out of `free`, and returns the sightings that nobody got. */
  #match(
    tracks: readonly Track[],
    found: readonly Sighting[],
    most: number,
    free: Set<Track>,
    atMs: number,
  ): Sighting[] {
    const left = new Set(found);
    const costs = tracks.map((track) => Float64Array.from(found, (sighting) => costOf(track, sighting)));
    for (const [row, column] of assign(costs, most)) {
      const [track, sighting] = [tracks[row] as Track, found[column] as Sighting];
      track.found(sighting, atMs);
      free.delete(track);
      left.delete(sighting);
    }
    return [...left];
  }

  #begin(found: readonly Sighting[], atMs: number): void {
    for (const sighting of found) {
      if (this.#tracks.length >= this.#options.limit) return;
      if (sighting.score >= this.#options.startScore) this.#tracks.push(new Track(this.#nextId++, sighting, atMs));
    }
  }

  #dropLost(picture: { readonly width: number; readonly height: number }): readonly Track[] {
    const isGone = (track: Track) =>
      track.confirmed
        ? track.missedSeconds > (isOutside(track.box, picture) ? leftSeconds : this.#options.lostSeconds)
        : track.missed > 1;
    const gone = this.#tracks.filter(isGone);
    this.#tracks = this.#tracks.filter((track) => !isGone(track));
    return gone.filter(({ confirmed }) => confirmed);
  }
}

function confirmedOf(tracks: ReadonlySet<Track>): Track[] {
  return [...tracks].filter(({ confirmed }) => confirmed);
}

/** An unsure sighting carries on only what was there a moment ago. */
function seenLately(tracks: ReadonlySet<Track>): Track[] {
  return confirmedOf(tracks).filter(({ missed }) => missed === 0);
}

/** 0..1 and a little more; 1 is what has nothing in common. */
function costOf(track: Track, { box, label, appearance }: Sighting): number {
  const expected = track.box;
  const by = expected.height * Math.min(growAtMost, growBy + track.uncertainty);
  const apart = 1 - overlap(grown(expected, by), grown(box, by));
  if (apart === 1) return Number.POSITIVE_INFINITY;
  const other = label === track.label ? 0 : otherLabel;
  if (!appearance || !track.appearance) return apart + other;
  return (1 - lookWeight) * apart + lookWeight * (1 - likeness(track.appearance, appearance)) + other;
}

function isOutside(
  { x, y, width, height }: Box,
  picture: { readonly width: number; readonly height: number },
): boolean {
  const [middleX, middleY] = [x + width / 2, y + height / 2];
  return middleX < 0 || middleY < 0 || middleX > picture.width || middleY > picture.height;
}
