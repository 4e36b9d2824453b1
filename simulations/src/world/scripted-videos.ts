import type { VideoFrame, VideoRequest, VideoSource } from '@shoal/agent';
import { type Clock, delay, ShoalError } from '@shoal/protocol';

/** Frames after which a source that `breaks` does. */
const framesUntilBreak = 5;

/** Frames that come at once of a source that `bursts`, and the pause before them, ms. */
const burst = 6;
const burstEveryMs = 4_000;

/** What is true of every source in a world. */
export interface ScriptedSources {
  /** None can be reached. */
  gone: boolean;
}

/**
 * Videos that are data: a frame falls due at the rate that is asked for, and whoever is slower than that gets the next one that is due.
 * `rtsp://fine/` goes on for ever, `rtsp://breaks/` ends with an error again and again,
 * `rtsp://bursts/` says nothing for long and then has many frames at once.
 */
export function scriptedVideos(clock: Clock, sources: ScriptedSources): VideoSource {
  return {
    open(request, signal) {
      const format = { width: 1_280, height: 720, fps: 25 };
      const stream = {
        dropped: 0,
        complaint: undefined,
        format,
        cpuMs: undefined,
        [Symbol.asyncIterator]: () => frames(clock, sources, request, signal),
      };
      return stream;
    },
    decoders: async () => ['h264'],
  };
}

async function* frames(
  clock: Clock,
  sources: ScriptedSources,
  request: VideoRequest,
  signal: AbortSignal,
): AsyncGenerator<VideoFrame> {
  const { width, height } = request.input;
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3));
  const counter = new DataView(pixels.buffer);
  const placement = { sourceWidth: width, sourceHeight: height, scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
  const everyMs = 1_000 / request.targetFps;
  for (let number = 1; ; number++) {
    if (request.source !== 'rtsp://bursts/')
      await delay(clock, 'scripted video: next frame', everyMs - (clock.monotonicMs() % everyMs), signal);
    else if (number % burst === 1) await delay(clock, 'scripted video: next burst', burstEveryMs, signal);
    if (sources.gone) throw new ShoalError('source.unreadable', 'the camera does not answer');
    if (request.source === 'rtsp://breaks/' && number > framesUntilBreak)
      throw new ShoalError('source.unreadable', 'the video broke off');
    counter.setUint32(0, number);
    yield { pixels, placement, capturedAtMs: clock.nowMs(), capturedMonotonicMs: clock.monotonicMs() };
  }
}
