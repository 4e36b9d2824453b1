import { describe, expect, it } from 'vitest';
import { decodeLadder, type Footage, rungFor } from '../../src/placement/streams/decode-ladder.ts';

/** Five frames a second are wanted of 720p. */
const footage: Footage = { megapixels: 0.92, fps: 25, seenFps: {}, hasSubstream: false };
const levels = (change: Partial<Footage> = {}, wantedFps = 5) =>
  decodeLadder({ ...footage, ...change }, wantedFps, 1).map(({ level }) => level);

describe('the ways to decode a camera', () => {
  it('take what was measured: 720p in full about 0.06 of a core, skipping less, key frames a sixth', () => {
    const [full, skip, keyframes] = decodeLadder(footage, 5, 1);
    expect(full).toEqual({ level: 'full', cores: expect.closeTo(0.0575, 4), fps: 5 });
    expect(skip).toEqual({ level: 'skip', cores: expect.closeTo(0.0345, 4), fps: 5 });
    expect(keyframes).toEqual({ level: 'keyframes', cores: expect.closeTo(0.0098, 4), fps: 0.5 });
  });

  it('take more on a device that has shown to be slower', () => {
    expect(decodeLadder(footage, 5, 4)[0]?.cores).toBeCloseTo(0.23, 6);
  });

  it('come in the order of the levels as long as they give what is wanted', () => {
    expect(levels({}, 0.4)).toEqual(['full', 'skip', 'keyframes']);
    expect(levels({ hasSubstream: true })).toEqual(['full', 'skip', 'substream', 'keyframes']);
  });

  it('come last when they do not: key frames are few, and skipping gives half of the frames', () => {
    expect(levels({ hasSubstream: true }, 20)).toEqual(['full', 'substream', 'keyframes']);
    expect(levels({}, 20)).toEqual(['full', 'skip', 'keyframes']);
  });

  it('are known better when they were tried', () => {
    expect(levels({ hasSubstream: true, seenFps: { keyframes: 5 } })).toEqual(['full', 'skip', 'keyframes']);
    expect(levels({ hasSubstream: true, seenFps: { skip: 1 } })).toEqual(['full', 'substream', 'keyframes']);
  });

  it('are not blamed for a source that gives less than is wanted at every level', () => {
    expect(levels({ fps: 2, seenFps: { skip: 2, keyframes: 2 } })).toEqual(['full', 'skip', 'keyframes']);
  });
});

describe('room to decode', () => {
  const ladder = decodeLadder(footage, 5, 1);
  const levelWith = (capacity: number, taken: number) => rungFor(ladder, { capacity, taken })?.level;

  it('is used for the best level that fits', () => {
    expect(levelWith(0.8, 0.7)).toBe('full');
    expect(levelWith(0.8, 0.75)).toBe('skip');
    expect(levelWith(0.8, 0.77)).toBe('keyframes');
  });

  it('ends: then there is none', () => {
    expect(levelWith(0.8, 0.795)).toBeUndefined();
  });

  it('is there for one camera on the smallest device', () => {
    expect(levelWith(0.001, 0)).toBe('keyframes');
  });
});
