import type { VideoFrame, VideoRequest, VideoSource } from '@shoal/agent';
import { type Clock, delay, ShoalError } from '@shoal/protocol';

/** Frames after which a source that `breaks` does. */
const framesUntilBreak = 5;

/**
 * Videos that are data: a frame falls due at the rate that is asked for, and whoever is slower than that gets the next one that is due.
 * `rtsp://fine/` goes on for ever, `rtsp://breaks/` ends with an error again and again.
 */
export function scriptedVideos(clock: Clock): VideoSource {
  return {
    open(request, signal) {
      const format = { width: 1_280, height: 720, fps: 25 };
      const stream = {
        dropped: 0,
        complaint: undefined,
        format,
        cpuMs: undefined,
        [Symbol.asyncIterator]: () => frames(clock, request, signal),
      };
      return stream;
    },
    decoders: async () => ['h264'],
  };
}

async function* frames(clock: Clock, request: VideoRequest, signal: AbortSignal): AsyncGenerator<VideoFrame> {
  const { width, height } = request.input;
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3));
  const counter = new DataView(pixels.buffer);
  const placement = { sourceWidth: width, sourceHeight: height, scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
  const everyMs = 1_000 / request.targetFps;
  for (let number = 1; ; number++) {
    await delay(clock, 'scripted video: next frame', everyMs - (clock.monotonicMs() % everyMs), signal);
    if (request.source === 'rtsp://breaks/' && number > framesUntilBreak)
      throw new ShoalError('source.unreadable', 'the video broke off');
    counter.setUint32(0, number);
    yield { pixels, placement, capturedAtMs: clock.nowMs(), capturedMonotonicMs: clock.monotonicMs() };
  }
}
