import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ShoalError } from '@shoal/protocol';
import { JpegSplitter } from './jpeg-splitter.ts';

export interface VideoFrame {
  /** Counts from 0. */
  readonly index: number;
  readonly atMs: number;
  readonly jpeg: Uint8Array<ArrayBuffer>;
}

export interface VideoFrames {
  readonly frames: AsyncIterable<VideoFrame>;
  /** Of the whole video, once ffmpeg has said it. */
  readonly durationMs: () => number | undefined;
}

/** Pictures of a video file, `fps` a second, decoded by ffmpeg only as fast as they are taken. @throws `source.unreadable` */
export function videoFrames(ffmpeg: string, file: string, fps: number, signal: AbortSignal): VideoFrames {
  let durationMs: number | undefined;
  let said = '';
  async function* read(): AsyncGenerator<VideoFrame> {
    const from = ['-nostdin', '-hide_banner', '-loglevel', 'info', '-i', file, '-map', '0:v:0', '-vf', `fps=${fps}`];
    const to = ['-f', 'image2pipe', '-c:v', 'mjpeg', '-q:v', '3', '-'];
    const child = spawn(ffmpeg, [...from, ...to], { stdio: ['ignore', 'pipe', 'pipe'], signal });
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', resolve);
      child.once('error', () => resolve(null));
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk).slice(-20_000);
      durationMs ??= parseDurationLine(said);
    });
    const splitter = new JpegSplitter();
    let index = 0;
    try {
      for await (const chunk of child.stdout) {
        for (const jpeg of splitter.push(chunk as Buffer)) yield { index, atMs: (index++ / fps) * 1_000, jpeg };
      }
      const code = await ended;
      signal.throwIfAborted();
      if (code !== 0 || index === 0)
        throw new ShoalError('source.unreadable', `ffmpeg cannot read it: ${lastWords(said)}`);
    } finally {
      child.kill('SIGKILL');
    }
  }
  return { frames: read(), durationMs: () => durationMs };
}

/** The ffmpeg on the path, else the old build that comes from npm. @throws `engine.unavailable` with what to install */
export async function findFfmpeg(path: string | undefined): Promise<string> {
  for (const folder of (path ?? '').split(delimiter)) {
    const candidate = join(folder, process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg');
    if (folder !== '' && (await isExecutable(candidate))) return candidate;
  }
  const bundled = await bundledFfmpeg();
  if (bundled !== undefined && (await isExecutable(bundled))) return bundled;
  throw new ShoalError(
    'engine.unavailable',
    'videos need ffmpeg: install it (Debian, Ubuntu: sudo apt install ffmpeg)',
  );
}

async function bundledFfmpeg(): Promise<string | undefined> {
  try {
    const { default: installer } = await import('@ffmpeg-installer/ffmpeg');
    return installer.path;
  } catch {
    // An optional dependency, and not made for every platform.
    return undefined;
  }
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function parseDurationLine(text: string): number | undefined {
  const [, hours, minutes, seconds] = /Duration: (\d+):(\d\d):(\d\d\.\d+)/.exec(text) ?? [];
  return seconds === undefined ? undefined : (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
}

function lastWords(text: string): string {
  return (
    text
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^.*?: /, '') ?? 'it said nothing'
  );
}
