import { describe, expect, it } from 'vitest';
import { overlap } from '../../src/scene/geometry.ts';
import { Tracker } from '../../src/scene/tracker.ts';
import { type CrowdFrame, crowd, crowdPicture } from './crowd.ts';
import { type Placed, type TrackingScores, trackingScores } from './tracking-scores.ts';

const seeds = [1, 2, 3, 4];

describe('the tracker, among people who walk in front of each other', () => {
  it.each([
    { fps: 25, people: 8, colours: false, mota: 0.92, idf1: 0.76 },
    { fps: 25, people: 14, colours: true, mota: 0.88, idf1: 0.76 },
    { fps: 5, people: 8, colours: false, mota: 0.9, idf1: 0.76 },
    { fps: 5, people: 14, colours: true, mota: 0.86, idf1: 0.72 },
  ])('keeps them apart: $people at $fps a second, colours seen: $colours', ({ mota, idf1, ...options }) => {
    const ours = meanOver(options, followed);
    const greedy = meanOver(options, byOverlapAlone);
    expect(ours.mota).toBeGreaterThan(mota);
    expect(ours.idf1).toBeGreaterThan(idf1);
    expect(ours.idf1).toBeGreaterThan(2 * greedy.idf1);
    expect(ours.switches).toBeLessThan(0.2 * greedy.switches);
  });

  it('gives the same numbers to the same pictures', () => {
    const frames = [...crowd({ seed: 1, people: 10, fps: 5, seconds: 10, colours: true })];
    expect(followed(frames)).toEqual(followed(frames));
  });
});

const person = (x: number, score = 0.8, label = 'person') => ({
  label,
  score,
  box: { x, y: 100, width: 40, height: 100 },
});

describe('a track', () => {
  const idsOf = (tracker: Tracker) => tracker.tracks.map(({ id, missed }) => (missed === 0 ? id : -id));

  it('begins with the second sighting, and never with an unsure one', () => {
    const tracker = new Tracker();
    tracker.update([person(0), person(500, 0.4)], 0, crowdPicture);
    expect(idsOf(tracker)).toEqual([]);
    tracker.update([person(5), person(505, 0.4)], 200, crowdPicture);
    expect(idsOf(tracker)).toEqual([1]);
  });

  it('is carried on by a sighting that is too unsure to begin one', () => {
    const tracker = new Tracker();
    for (const [i, score] of [0.8, 0.8, 0.2, 0.2, 0.2].entries())
      tracker.update([person(i, score)], i * 200, crowdPicture);
    expect(idsOf(tracker)).toEqual([1]);
  });

  it('is found again behind what covered it, and gone after its time', () => {
    const tracker = new Tracker();
    for (let i = 0; i < 10; i++) tracker.update([person(i * 10)], i * 200, crowdPicture);
    for (let i = 10; i < 18; i++) tracker.update([], i * 200, crowdPicture);
    expect(idsOf(tracker)).toEqual([-1]);
    tracker.update([person(180)], 3_600, crowdPicture);
    expect(idsOf(tracker)).toEqual([1]);
    const gone = Array.from({ length: 20 }, (_, i) => tracker.update([], 3_800 + i * 200, crowdPicture)).flat();
    expect(gone.map(({ id }) => id)).toEqual([1]);
    expect(tracker.tracks).toEqual([]);
  });

  it('outlives a pause in which nobody looked', () => {
    const tracker = new Tracker();
    tracker.update([person(100)], 0, crowdPicture);
    tracker.update([person(100)], 200, crowdPicture);
    tracker.update([person(102)], 60_000, crowdPicture);
    expect(idsOf(tracker)).toEqual([1]);
  });

  it('of one thing that is taken for two is one, under the name that it was given most often', () => {
    const tracker = new Tracker();
    for (let i = 0; i < 5; i++)
      tracker.update([person(100, 0.6, 'car'), person(101, i === 3 ? 0.7 : 0.5, 'truck')], i * 200, crowdPicture);
    expect(tracker.tracks.map(({ label }) => label)).toEqual(['car']);
  });

  it('is one of a hundred at most', () => {
    const tracker = new Tracker({ limit: 100 });
    const many = Array.from({ length: 150 }, (_, i) => ({
      ...person(i * 50),
      box: { x: i * 50, y: 0, width: 40, height: 40 },
    }));
    for (let i = 0; i < 3; i++) tracker.update(many, i * 200, { width: 10_000, height: 100 });
    expect(tracker.tracks).toHaveLength(100);
  });
});

function followed(frames: readonly CrowdFrame[]): Placed[][] {
  const tracker = new Tracker();
  return frames.map(({ found, atMs }) => {
    tracker.update(found, atMs, crowdPicture);
    return tracker.tracks.filter(({ missedSeconds }) => missedSeconds <= 0.4).map(({ id, box }) => ({ id, box }));
  });
}

/** What is done where nobody thought about it: each box gets the number of the one that it overlaps most. */
function byOverlapAlone(frames: readonly CrowdFrame[]): Placed[][] {
  let next = 1;
  let before: Placed[] = [];
  return frames.map(({ found }) => {
    const now: Placed[] = [];
    for (const { box } of found.filter(({ score }) => score >= 0.35)) {
      const free = before.filter(({ id }) => !now.some((taken) => taken.id === id));
      const [best] = free.sort((a, b) => overlap(b.box, box) - overlap(a.box, box));
      now.push({ id: best && overlap(best.box, box) > 0.3 ? best.id : next++, box });
    }
    before = now;
    return now;
  });
}

function meanOver(
  options: { readonly fps: number; readonly people: number; readonly colours: boolean },
  follow: (frames: readonly CrowdFrame[]) => Placed[][],
): Pick<TrackingScores, 'mota' | 'idf1' | 'switches'> {
  const scores = seeds.map((seed) => {
    const frames = [...crowd({ ...options, seed, seconds: 30 })];
    return trackingScores(
      frames.map(({ truth }) => truth),
      follow(frames),
    );
  });
  const mean = (of: (score: TrackingScores) => number) => scores.reduce((sum, one) => sum + of(one), 0) / scores.length;
  return { mota: mean(({ mota }) => mota), idf1: mean(({ idf1 }) => idf1), switches: mean(({ switches }) => switches) };
}
