import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ShoalError } from '@shoal/protocol';

const execute = promisify(execFile);

export interface Ffmpeg {
  readonly path: string;
  /** For example `5.1.9-0+deb12u1`. */
  readonly version: string;
  /** The first number of the version; 0 when it has none (builds from the head of development). */
  readonly major: number;
  /** The old build that comes from npm, for machines without one. */
  readonly bundled: boolean;
}

/**
 * The ffmpeg on the PATH, else the one that comes from npm.
 * @throws `engine.unavailable` when there is neither
 */
export async function findFfmpeg(signal: AbortSignal): Promise<Ffmpeg> {
  const own = await versionOf('ffmpeg', signal);
  if (own !== undefined) return described('ffmpeg', own, false);
  const path = await bundledPath();
  const version = path === undefined ? undefined : await versionOf(path, signal);
  if (path === undefined || version === undefined) {
    throw new ShoalError(
      'engine.unavailable',
      'there is no ffmpeg on this machine: install it (Debian: apt install ffmpeg)',
    );
  }
  return described(path, version, true);
}

/** The video codecs out of a few that cameras speak which this ffmpeg decodes. */
export async function decodersOf({ path }: Ffmpeg, signal: AbortSignal): Promise<readonly string[]> {
  const { stdout } = await execute(path, ['-hide_banner', '-decoders'], { signal, maxBuffer: 4 << 20 });
  const codecs = ['h264', 'hevc', 'mjpeg', 'mpeg4', 'vp8', 'vp9', 'av1'];
  return codecs.filter((codec) =>
    new RegExp(`^ V\\S+ (${codec}|lib\\S+\\s.*\\(codec ${codec}\\))\\b`, 'm').test(stdout),
  );
}

async function versionOf(path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { stdout } = await execute(path, ['-version'], { signal, timeout: 10_000 });
    return /^ffmpeg version (\S+)/.exec(stdout)?.[1];
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function bundledPath(): Promise<string | undefined> {
  try {
    const { default: installer } = await import('@ffmpeg-installer/ffmpeg');
    return installer.path;
  } catch {
    // An optional dependency, and not made for every platform.
    return undefined;
  }
}

function described(path: string, version: string, bundled: boolean): Ffmpeg {
  return { path, version, major: Number.parseInt(version.replace(/^n/, ''), 10) || 0, bundled };
}
