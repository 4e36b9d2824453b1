import type { DecodeLevel } from '@shoal/protocol';
import type { CoarseDevice } from './coarse-device.ts';
import { type CameraFigures, sumOfFigures } from './fleet-camera.ts';
import type { Tally } from './tally.ts';

/** The fleet at one moment of a run. */
export interface Sample {
  readonly atMs: number;
  readonly waiting: number;
  /** Of all that ended since the last sample, 0..1. */
  readonly missed: number;
  /** What work draws above idling, watts. */
  readonly workWatts: number;
  /** Of each class of devices that has batteries, the median and the least level, percent. */
  readonly batteries: Readonly<Record<string, { readonly median: number; readonly least: number }>>;
  /** `undefined`: the fleet has no cameras. */
  readonly cameras?: CameraSample;
}

/** The cameras since the last sample; all parts are 0..1. */
export interface CameraSample {
  /** Of the time that they were there, somebody watched. */
  readonly watched: number;
  /** Of the frames that were asked for. */
  readonly analysed: number;
  /** Of the time that they were watched. */
  readonly levels: Readonly<Record<DecodeLevel, number>>;
}

/** Looks at a run now and then, for its curves. */
export class Recorder {
  readonly samples: Sample[] = [];
  #before = { ended: 0, missed: 0, energyJ: 0, atMs: 0 };
  #camerasBefore: CameraFigures | undefined;

  look(
    atMs: number,
    tally: Tally,
    devices: readonly CoarseDevice[],
    waiting: number,
    cameras: CameraFigures | undefined,
  ): void {
    const { finished, expired } = tally;
    const energyJ = tally.energyJ + devices.reduce((sum, { cameraJ }) => sum + cameraJ, 0);
    const ended = finished + expired;
    const missed = tally.late + expired;
    const before = this.#before;
    const seconds = (atMs - before.atMs) / 1_000;
    this.samples.push({
      atMs,
      waiting,
      missed: ended > before.ended ? (missed - before.missed) / (ended - before.ended) : 0,
      workWatts: seconds > 0 ? (energyJ - before.energyJ) / seconds : 0,
      batteries: batteriesOf(devices),
      ...(cameras && { cameras: partsOf(cameras, this.#camerasBefore) }),
    });
    this.#before = { ended, missed, energyJ, atMs };
    this.#camerasBefore = cameras;
  }
}

/** What came of the cameras since then, as parts. Where none was there, nothing is missed. */
export function partsOf(now: CameraFigures, before = sumOfFigures([])): CameraSample {
  const since = (of: (figures: CameraFigures) => number) => of(now) - of(before);
  const watchedMs = since((figures) => figures.watchedMs);
  const level = (name: DecodeLevel) =>
    part(
      since(({ levelMs }) => levelMs[name]),
      watchedMs,
      0,
    );
  return {
    watched: part(
      watchedMs,
      since(({ thereMs }) => thereMs),
      1,
    ),
    analysed: part(
      since(({ analysed }) => analysed),
      since(({ asked }) => asked),
      1,
    ),
    levels: {
      full: level('full'),
      skip: level('skip'),
      keyframes: level('keyframes'),
      substream: level('substream'),
    },
  };
}

function part(some: number, all: number, ofNothing: number): number {
  return all > 0 ? some / all : ofNothing;
}

/** Of each class so many tell the median. */
const sampled = 1_000;

function batteriesOf(devices: readonly CoarseDevice[]): Sample['batteries'] {
  const levels = new Map<string, number[]>();
  for (const { group, levelPct } of devices) {
    if (levelPct === undefined) continue;
    const ofClass = levels.get(group.class);
    if (ofClass) ofClass.push(levelPct);
    else levels.set(group.class, [levelPct]);
  }
  return Object.fromEntries(
    Array.from(levels, ([name, all]) => [name, { median: medianOf(all), least: leastOf(all) }]),
  );
}

function medianOf(levels: readonly number[]): number {
  const every = Math.ceil(levels.length / sampled);
  const sorted = levels.filter((_, at) => at % every === 0).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function leastOf(levels: readonly number[]): number {
  return levels.reduce((least, level) => Math.min(least, level), 100);
}
