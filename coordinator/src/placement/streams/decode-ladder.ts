import { type DecodeLevel, decodeLevels } from '@shoal/protocol';

/** What is known of a camera's source: said by the device that decodes it, or assumed. */
export interface Footage {
  readonly megapixels: number;
  /** Frames a second. */
  readonly fps: number;
  /** Frames a second that came at a level, where it was tried. */
  readonly seenFps: { readonly [Level in DecodeLevel]?: number };
  readonly hasSubstream: boolean;
}

/** Of a source that nobody has looked into yet: 720p. */
export const unknownFootage: Footage = { megapixels: 0.92, fps: 25, seenFps: {}, hasSubstream: false };

/** What a device can decode, and does. */
export interface DecodeBudget {
  /** Cores that may be busy with decoding: {@link decodeCapacity}. */
  readonly capacity: number;
  /** Cores that its cameras keep busy with it. */
  readonly taken: number;
  /** How much longer it takes there than is assumed, as its cameras have shown; 1: nothing is known. */
  readonly factor: number;
}

/** Two cores took twelve cameras of 720p well, 0.065 of a core each, and were at their end with sixteen: the rest is for what is done with the frames. */
const decodeShare = 0.4;
/** H.264 to the size of a model, a megapixel of the source on one core: 2.1 to 2.7 ms for 0.92, 4.2 to 5.8 ms for 2.07, measured with ffmpeg. */
const msPerMegapixel = 2.5;
/** Of all frames: what it takes, and how many come. Measured with x264's usual groups; of those without B-frames, skipping saves nothing and loses nothing. */
const costs = { full: 1, skip: 0.6, keyframes: 0.17 } as const;
const skippedGives = 0.5;
/** A key frame each two seconds. */
const keyFramesPerSecond = 0.5;
/** 360p, as substreams usually are. */
const substreamMegapixels = 0.23;

export function decodeCapacity(cores: number): number {
  return Math.max(1, cores) * decodeShare;
}

/** One way to decode a source: what it takes, and what it gives. */
export interface Rung {
  readonly level: DecodeLevel;
  /** Cores that it keeps busy. */
  readonly cores: number;
  /** Frames a second that come, at most as many as are wanted. */
  readonly fps: number;
}

/**
 * The ways to decode a source, the best first: those that give the frames that are wanted in the order of the levels, then the others, the more frames
 * the better. Each is cheaper than the one before it.
 */
export function decodeLadder(footage: Footage, wantedFps: number, factor: number): readonly Rung[] {
  const rungs = decodeLevels
    .filter((level) => level !== 'substream' || footage.hasSubstream)
    .map(
      (level): Rung => ({
        level,
        cores: coresOf(level, footage) * factor,
        fps: Math.min(wantedFps, fpsOf(level, footage)),
      }),
    );
  // A source that gives less than is wanted at every level is not to blame a level for it.
  const most = rungs.reduce((fps, rung) => Math.max(fps, rung.fps), 0);
  const isEnough = ({ fps }: Rung) => fps >= most * nearlyAll;
  const ordered = [...rungs.filter(isEnough), ...rungs.filter((rung) => !isEnough(rung)).sort((a, b) => b.fps - a.fps)];
  return ordered.filter(({ cores }, at) => ordered.slice(0, at).every((better) => cores < better.cores));
}

/** A rate that was measured is never quite what was asked for. */
export const nearlyAll = 0.9;

/** On a core as they are assumed. */
export function coresOf(level: DecodeLevel, { megapixels, fps }: Footage): number {
  return level === 'substream'
    ? (substreamMegapixels * fps * msPerMegapixel) / 1_000
    : (megapixels * fps * msPerMegapixel * costs[level]) / 1_000;
}

function fpsOf(level: DecodeLevel, { fps, seenFps }: Footage): number {
  return seenFps[level] ?? assumedFps(level, fps);
}

/** Frames a second that come at a level that was not tried, of a source with so many. */
export function assumedFps(level: DecodeLevel, fps: number): number {
  if (level === 'skip') return fps * skippedGives;
  return level === 'keyframes' ? Math.min(fps, keyFramesPerSecond) : fps;
}

/** The best rung that there is room for; where nothing else is decoded, the cheapest one when there is room for none. */
export function rungFor(
  ladder: readonly Rung[],
  { capacity, taken }: Pick<DecodeBudget, 'capacity' | 'taken'>,
): Rung | undefined {
  const room = capacity - taken + roundingError;
  return ladder.find(({ cores }) => cores <= room) ?? (taken <= roundingError ? ladder.at(-1) : undefined);
}

export const roundingError = 1e-9;
