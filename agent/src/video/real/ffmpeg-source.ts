import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { type FramePlacement, fitPicture } from '@shoal/models';
import { type Clock, type Logger, redactSource, ShoalError } from '@shoal/protocol';
import { ffmpegArguments, sourceKind } from '../ffmpeg-arguments.ts';
import { complaintIn, explainFailure, formatIn, hasNewSize, linesKept } from '../ffmpeg-words.ts';
import { FrameCutter } from '../frame-cutter.ts';
import type { VideoFormat, VideoFrame, VideoRequest, VideoSource, VideoStream } from '../video-source.ts';
import { cpuMsOf } from './cpu-time.ts';
import { decodersOf, type Ffmpeg, findFfmpeg } from './find-ffmpeg.ts';
import { reach } from './reach.ts';

/** A child that does not end when it is asked to is made to after this time, ms. */
const killAfterMs = 2_000;

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Video through ffmpeg, one child per camera: it decodes straight to the model's input size. */
export function createFfmpegSource(deps: Deps): VideoSource {
  let found: Promise<Ffmpeg> | undefined;
  const find = (signal: AbortSignal) => {
    found ??= findFfmpeg(signal).then(
      (ffmpeg) => {
        if (ffmpeg.bundled)
          deps.logger.warn('no ffmpeg on this machine: the old one from npm is used', { version: ffmpeg.version });
        return ffmpeg;
      },
      (error: unknown) => {
        found = undefined;
        throw error;
      },
    );
    return found;
  };
  return {
    open: (request, signal) => new FfmpegStream(deps, find, request, signal),
    decoders: async (signal) => decodersOf(await find(signal), signal),
  };
}

class FfmpegStream implements VideoStream {
  readonly #deps: Deps;
  readonly #find: (signal: AbortSignal) => Promise<Ffmpeg>;
  readonly #request: VideoRequest;
  readonly #signal: AbortSignal;
  readonly #cutter: FrameCutter;
  readonly #lines: string[] = [];
  #format: VideoFormat | undefined;
  #placement: FramePlacement | undefined;
  #pid: number | undefined;
  #complaint: string | undefined;
  #resized = false;
  #wake = () => {};
  #ended = false;

  constructor(deps: Deps, find: (signal: AbortSignal) => Promise<Ffmpeg>, request: VideoRequest, signal: AbortSignal) {
    this.#deps = deps;
    this.#find = find;
    this.#request = request;
    this.#signal = signal;
    this.#cutter = new FrameCutter(request.input.width * request.input.height * 3);
  }

  get dropped(): number {
    return this.#cutter.dropped;
  }

  get format(): VideoFormat | undefined {
    return this.#format;
  }

  get cpuMs(): number | undefined {
    return this.#pid === undefined || this.#ended ? undefined : cpuMsOf(this.#pid);
  }

  get complaint(): string | undefined {
    return this.#complaint;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<VideoFrame> {
    const signal = this.#signal;
    const ffmpeg = await this.#find(signal);
    await reach(this.#request.source, signal);
    const child = spawn(ffmpeg.path, ffmpegArguments(this.#request, ffmpeg.major), {
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#pid = child.pid;
    const exited = this.#follow(child);
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort);
    try {
      for (;;) {
        signal.throwIfAborted();
        if (this.#resized) throw resizedError(this.#request.source);
        const frame = this.#newest();
        if (frame) yield frame;
        else if (this.#ended) break;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
      this.#judge(await exited);
    } finally {
      signal.removeEventListener('abort', onAbort);
      await this.#end(child, exited);
    }
  }

  /** Collects what the child says. Resolves with its exit code when both pipes are read to their ends. */
  #follow(child: ChildProcessByStdio<null, Readable, Readable>): Promise<number | string> {
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#cutter.push(chunk) > 0) this.#wake();
    });
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split(/[\r\n]+/);
      rest = (lines.pop() ?? '').slice(-4096);
      for (const line of lines) this.#hear(line);
    });
    return new Promise((resolve) => {
      child.on('error', (error) => {
        this.#hear(error.message);
        this.#ended = true;
        this.#wake();
        resolve(error.message);
      });
      child.on('close', (code, killedBy) => {
        if (rest) this.#hear(rest);
        this.#ended = true;
        this.#wake();
        resolve(code ?? killedBy ?? 'unknown');
      });
    });
  }

  #hear(line: string): void {
    this.#lines.push(line);
    this.#complaint ??= complaintIn([line]);
    if (!this.#placement) {
      this.#format = formatIn(this.#lines);
      if (this.#format)
        this.#placement = fitPicture(this.#request.input, this.#format.width, this.#format.height).placement;
    } else {
      if (this.#lines.length > linesKept) this.#lines.shift();
      this.#resized ||= hasNewSize(line);
    }
    if (this.#placement) this.#wake();
  }

  #newest(): VideoFrame | undefined {
    // Both pipes are read as they come: the first frame may be whole before its size was heard.
    if (!this.#placement) return undefined;
    const pixels = this.#cutter.take();
    const { clock } = this.#deps;
    return (
      pixels && {
        pixels,
        placement: this.#placement,
        capturedAtMs: clock.nowMs(),
        capturedMonotonicMs: clock.monotonicMs(),
      }
    );
  }

  /** @throws `source.unreadable` unless a file has come to its end */
  #judge(exit: number | string): void {
    const { source } = this.#request;
    if (exit !== 0 || !this.#placement) throw explainFailure(this.#lines, source);
    if (sourceKind(source) === 'live') {
      throw new ShoalError('source.unreadable', `${redactSource(source)}: the camera has ended the stream`, {
        lasting: false,
      });
    }
  }

  async #end(child: ChildProcessByStdio<null, Readable, Readable>, exited: Promise<unknown>): Promise<void> {
    if (this.#ended) return;
    child.stdout.removeAllListeners('data').resume();
    child.kill('SIGTERM');
    const cancel = this.#deps.clock.after('ffmpeg: kill', killAfterMs, () => child.kill('SIGKILL'));
    await exited;
    cancel();
  }
}

function resizedError(source: string): ShoalError {
  return new ShoalError('source.unreadable', `${redactSource(source)}: the picture has another size now`, {
    lasting: false,
    away: true,
  });
}
