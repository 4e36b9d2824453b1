import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Engine } from '@shoal/models';
import { asShoalError, silentLogger } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { type Capability, describeCapability, probeCapability } from '../hardware/index.ts';
import { realSystemReader } from '../hardware/real/index.ts';
import type { ModelShelf } from '../loaded-models/index.ts';
import { createFfmpegSource, findFfmpeg } from '../video/real/index.ts';
import { software } from './software.ts';

export interface DoctorReport {
  readonly software: string;
  readonly node: string;
  readonly hardware: Capability;
  readonly video: { readonly ffmpeg: string | null; readonly bundled: boolean; readonly decoders: readonly string[] };
  readonly engines: readonly { readonly name: string; readonly works: boolean; readonly detail: string }[];
  /** Variants that lie on this machine. */
  readonly models: readonly string[];
  /** What to do about what is missing, for a person. */
  readonly advice: readonly string[];
}

/** The engine and the files of the models, as an agent here would have them. */
export interface ExaminedModels {
  readonly engine: Engine;
  shelf(): Promise<ModelShelf>;
}

/** Less free disk than this is worth a word, bytes. */
const lowDiskBytes = 500 * 1024 * 1024;

/** Tries out what this machine can do for a fleet. */
export async function examine(dataFolder: string, models: ExaminedModels, signal: AbortSignal): Promise<DoctorReport> {
  const [hardware, video, engine, held] = await Promise.all([
    probeCapability(realSystemReader(), signal, { dataFolder: nearestFolder(dataFolder) }),
    examineVideo(signal),
    models.engine.capabilities(signal).then(
      ({ runtime, version, providers, concurrency }) => ({
        name: 'onnx',
        works: true,
        detail: `${runtime} ${version} on ${providers.join(', ')}, ${concurrency} at a time`,
      }),
      (error: unknown) => ({ name: 'onnx', works: false, detail: asShoalError(error).message }),
    ),
    models.shelf().then((shelf) => shelf.held()),
  ]);
  await models.engine.dispose();
  const report = {
    software,
    node: process.version,
    hardware,
    video,
    engines: [engine],
    models: held.map(({ manifest, variant }) => `${manifest.name} ${variant.name}`),
  };
  return { ...report, advice: adviceFor(report) };
}

/** The folder that is there already on the way to one that will be made. */
function nearestFolder(folder: string): string {
  const path = resolve(folder);
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

async function examineVideo(signal: AbortSignal): Promise<DoctorReport['video']> {
  try {
    const { version, bundled } = await findFfmpeg(signal);
    const decoders = await createFfmpegSource({ clock: systemClock, logger: silentLogger }).decoders(signal);
    return { ffmpeg: version, bundled, decoders };
  } catch {
    signal.throwIfAborted();
    return { ffmpeg: null, bundled: false, decoders: [] };
  }
}

function adviceFor({ video, engines, models, hardware }: Omit<DoctorReport, 'advice'>): string[] {
  const advice: readonly (readonly [boolean, string])[] = [
    [
      video.ffmpeg === null,
      'cameras cannot be read: install ffmpeg (Debian, Ubuntu, Raspberry Pi OS: apt install ffmpeg)',
    ],
    [
      video.bundled,
      'cameras are read with an old ffmpeg that came with npm: install your system’s (apt install ffmpeg)',
    ],
    [engines.every(({ works }) => !works), 'no model can run: the engine does not work here, see above'],
    [
      models.length === 0,
      'no model is here yet: the first task fetches its own; npx shoal-models fetch NAME does it now',
    ],
    [
      hardware.disk !== undefined && hardware.disk.freeBytes < lowDiskBytes,
      'the disk is nearly full: results wait on it while the coordinator is away',
    ],
  ];
  return advice.filter(([needed]) => needed).map(([, words]) => words);
}

export function describeReport(report: DoctorReport): string {
  const { video, engines, models, advice } = report;
  const ffmpeg =
    video.ffmpeg === null
      ? 'no ffmpeg'
      : `ffmpeg ${video.ffmpeg}${video.bundled ? ' (from npm)' : ''}: ${video.decoders.join(', ') || 'no decoder'}`;
  const lines = [
    `agent: ${report.software}, Node ${report.node}`,
    ...describeCapability(report.hardware),
    `video: ${ffmpeg}`,
    ...engines.map(({ name, works, detail }) => `engine: ${name} ${works ? 'works' : 'does not work'}: ${detail}`),
    `models: ${models.length > 0 ? models.join(', ') : 'none'}`,
    ...(advice.length > 0 ? ['', ...advice.map((words) => `- ${words}`)] : ['', 'Nothing is missing.']),
  ];
  return `${lines.join('\n')}\n`;
}
