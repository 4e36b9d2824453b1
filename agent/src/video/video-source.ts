import type { FrameShape, ModelFrame } from '@shoal/models';

/** Where frames come from: ffmpeg on a device, a script in a test, a made-up scene in the simulator. */
export interface VideoSource {
  /** Begins when it is iterated; ends, and leaves nothing behind, when the iteration ends or the signal fires. */
  open(request: VideoRequest, signal: AbortSignal): VideoStream;
  /** Video codecs that can be decoded here, for example `h264`. */
  decoders(signal: AbortSignal): Promise<readonly string[]>;
}

export interface VideoRequest {
  readonly camera: string;
  /** URL or path. May carry credentials. */
  readonly source: string;
  /** The model's input, which frames are brought into. */
  readonly input: FrameShape;
  /** Frames per second that are wanted; 0 for all. */
  readonly targetFps: number;
  /** Play a file again from its start when it ends. */
  readonly loop: boolean;
  /** Frames that are not decoded at all; all of them are unless told. A source may give fewer frames then than are wanted. */
  readonly leftOut?: 'unreferenced' | 'all-but-key';
}

/** What a source says of itself. */
export interface VideoFormat {
  readonly width: number;
  readonly height: number;
  /** Frames a second; `undefined` when it does not say. */
  readonly fps: number | undefined;
}

/**
 * Frames as they come, the newest first of all: who is slower than the camera gets the latest one and the others are dropped. Iterated once.
 * Ends when a file ends. Throws `source.unreadable`, with `lasting: true` when a person has to mend it (a password, a path); its message never
 * shows credentials.
 */
export interface VideoStream extends AsyncIterable<VideoFrame> {
  /** Frames that nobody had time for so far. */
  readonly dropped: number;
  /** `undefined` until it is known. */
  readonly format: VideoFormat | undefined;
  /** Processor time that decoding took so far, ms; `undefined` where that cannot be told. */
  readonly cpuMs: number | undefined;
  /** What was wrong with a video that came to its end all the same. */
  readonly complaint: string | undefined;
}

/** Its pixels may be written over as soon as the next frame is asked for. */
export interface VideoFrame extends ModelFrame {
  /** When the whole frame was here: wall clock, ms since the Unix epoch, and the same on the monotonic clock. */
  readonly capturedAtMs: number;
  readonly capturedMonotonicMs: number;
}
