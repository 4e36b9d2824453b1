import type { VideoFormat, VideoFrame, VideoRequest, VideoSource, VideoStream } from '@shoal/agent';
import { type Clock, delay, ShoalError } from '@shoal/protocol';

/** What a scripted source does when it is opened: gives frames, waits, ends, or fails. */
export type Scene =
  | { readonly kind: 'frames'; readonly count: number; readonly everyMs: number }
  | { readonly kind: 'silence' }
  | { readonly kind: 'failure'; readonly error: ShoalError }
  | { readonly kind: 'end'; readonly complaint?: string };

/** Plays scenes; each opening plays the next list of them, the last list again and again. */
export class ScriptedVideos implements VideoSource {
  readonly #clock: Clock;
  readonly opened: VideoRequest[] = [];
  format: VideoFormat | undefined;
  /** Of every stream. */
  cpuMs: number | undefined;
  /** Streams that are open now. */
  open_ = 0;
  scripts: readonly (readonly Scene[])[] = [[{ kind: 'frames', count: 1_000_000, everyMs: 200 }]];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async decoders(): Promise<readonly string[]> {
    return ['h264'];
  }

  open(request: VideoRequest, signal: AbortSignal): VideoStream {
    const scenes = this.scripts[Math.min(this.opened.length, this.scripts.length - 1)] ?? [];
    this.opened.push(request);
    const play = () => this.#play(scenes, request, signal);
    const ending = scenes.find((scene) => scene.kind === 'end');
    const cpuMs = () => this.cpuMs;
    return {
      dropped: 0,
      complaint: ending?.complaint,
      format: this.format,
      get cpuMs() {
        return cpuMs();
      },
      [Symbol.asyncIterator]: play,
    };
  }

  async *#play(scenes: readonly Scene[], { input }: VideoRequest, signal: AbortSignal): AsyncGenerator<VideoFrame> {
    this.open_ += 1;
    try {
      const pixels = new Uint8Array(new SharedArrayBuffer(input.width * input.height * 3));
      const placement = { sourceWidth: 16, sourceHeight: 16, scaleX: 0.5, scaleY: 0.5, offsetX: 0, offsetY: 0 };
      for (const scene of scenes) {
        if (scene.kind === 'failure') throw scene.error;
        if (scene.kind === 'end') return;
        const count = scene.kind === 'frames' ? scene.count : 0;
        for (let number = 0; number < count; number++) {
          await delay(this.#clock, 'scripted video', scene.kind === 'frames' ? scene.everyMs : 0, signal);
          pixels.fill(number & 255);
          yield {
            pixels,
            placement,
            capturedAtMs: this.#clock.nowMs(),
            capturedMonotonicMs: this.#clock.monotonicMs(),
          };
        }
        if (scene.kind === 'silence') await delay(this.#clock, 'scripted silence', 1e12, signal);
      }
    } finally {
      this.open_ -= 1;
    }
  }
}

export const unreadable = (message: string, lasting = false) =>
  ({ kind: 'failure', error: new ShoalError('source.unreadable', message, { lasting }) }) as const;
