import {
  type AnalysisResult,
  type Attester,
  asShoalError,
  type BackoffOptions,
  backoffMs,
  type CameraAssignment,
  type CameraStatusInit,
  type Clock,
  type DecodeLevel,
  decodeLevelOf,
  delay,
  encodeResult,
  type Logger,
  type Outgoing,
  type PictureRequest,
  pushSource,
  type Random,
  type ResultPredicate,
  resultMediaType,
  ShoalError,
  sha256Hex,
} from '@shoal/protocol';
import type { LoadedModels, ModelLease } from '../loaded-models/index.ts';
import type { Outbox } from '../outbox/index.ts';
import type { CameraStore } from '../store/index.ts';
import type { VideoFrame, VideoRequest, VideoSource, VideoStream } from '../video/index.ts';
import { CameraMeter } from './camera-meter.ts';
import { DecodeMeter } from './decode-meter.ts';
import { type FrameAnalysis, frameAnalysisFor } from './frame-analysis.ts';
import { type EncodePicture, type FrameReport, LivePicture } from './live-picture.ts';
import { Patience, type PatienceOptions } from './patience.ts';
import { ReportNumbers } from './report-numbers.ts';

export interface CameraOptions extends PatienceOptions {
  readonly backoff: BackoffOptions;
  /** How often a camera is asked for that is not there at all, ms: that costs next to nothing, and it is to be seen within seconds of its return. */
  readonly awayMs: number;
  /** Wait before the next try when a person has to mend something first, ms. */
  readonly lastingMs: number;
  /** A source that went well for this long begins its backoff anew, ms. */
  readonly healthyMs: number;
  readonly software: string;
}

export const defaultCameraOptions: Omit<CameraOptions, 'software'> = {
  noPictureMs: 15_000,
  leastMs: 3_000,
  backoff: { firstMs: 500, maxMs: 5_000, factor: 2 },
  awayMs: 1_000,
  lastingMs: 60_000,
  healthyMs: 30_000,
};

export interface CameraDeps {
  readonly attester: Attester;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly videos: VideoSource;
  readonly models: LoadedModels;
  readonly outbox: Outbox;
  readonly store: CameraStore;
  /** Why a camera must wait now (battery, heat), for a person; `undefined` when it need not. */
  readonly mustWait: () => string | undefined;
  readonly onInference: (lease: ModelLease, inferenceMs: number) => void;
  /** For who watches. */
  readonly encodePicture: EncodePicture;
}

/**
 * - `connecting`: the model is loaded, the source opened; no picture yet.
 * - `running`: pictures come and are analysed.
 * - `waiting`: for the next try, for the device to cool or charge, or for ever when a file has ended.
 * - `failed`: as `waiting`, but a person has to do something.
 */
type CameraState = 'connecting' | 'running' | 'waiting' | 'failed';

/** One camera on this device: reads its source, for ever, and puts what its pipeline sees into the outbox. */
export class Camera {
  readonly assignment: CameraAssignment;
  readonly #deps: CameraDeps;
  readonly #options: CameraOptions;
  readonly #meter: CameraMeter;
  readonly #numbers: ReportNumbers;
  readonly #live: LivePicture;
  readonly #stopped = new AbortController();
  readonly #analysis: FrameAnalysis;
  readonly #decode: DecodeLevel;
  #state: CameraState = 'connecting';
  #reason = '';
  #restarts = 0;
  #droppedBefore = 0;
  #stream: VideoStream | undefined;
  #decoding: DecodeMeter | undefined;
  #over: Promise<void> = Promise.resolve();

  /** @throws `input.invalid` for parameters that are none, and a level of decoding that there is not */
  constructor(deps: CameraDeps, assignment: CameraAssignment, options: CameraOptions) {
    this.#deps = deps;
    this.assignment = assignment;
    this.#options = options;
    this.#meter = new CameraMeter(deps.clock);
    this.#live = new LivePicture(deps.clock, deps.encodePicture);
    this.#numbers = new ReportNumbers(deps.store, assignment.cameraId);
    this.#analysis = frameAnalysisFor(assignment, deps.random);
    this.#decode = levelOf(assignment);
  }

  get status(): CameraStatusInit {
    return {
      cameraId: this.assignment.cameraId,
      state: this.#state,
      reason: this.#reason,
      fps: this.#state === 'running' ? this.#meter.fps : 0,
      frames: this.#meter.frames,
      dropped: this.#droppedBefore + (this.#stream?.dropped ?? 0),
      latencyP50Ms: this.#meter.latencyMs(0.5),
      latencyP95Ms: this.#meter.latencyMs(0.95),
      restarts: this.#restarts,
      decode: this.#decode,
      ...this.#decoding?.figures,
    };
  }

  get isRunning(): boolean {
    return this.#state === 'running' || this.#state === 'connecting';
  }

  /** The newest picture. @throws `timeout`; `source.unreadable` with the reason while the camera does not run */
  async picture(request: PictureRequest): Promise<Outgoing> {
    if (!this.isRunning) throw new ShoalError('source.unreadable', `the camera does not run: ${this.#reason}`);
    return this.#live.answer(request, this.#stopped.signal);
  }

  start(): void {
    this.#over = this.#run(this.#stopped.signal).catch((error: unknown) => {
      if (this.#stopped.signal.aborted) return;
      this.#fall('failed', asShoalError(error).message);
    });
  }

  /** Resolves when nothing of it runs any more, its decoder included. */
  async stop(): Promise<void> {
    this.#stopped.abort(new ShoalError('closed', 'the camera was stopped'));
    await this.#over;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    for (let failures = 0; ; failures++) {
      this.#state = 'connecting';
      const startedMs = clock.monotonicMs();
      let waitMs: number;
      try {
        const complaint = await this.#watch(signal);
        this.#fall(complaint === undefined ? 'waiting' : 'failed', complaint ?? 'the video has ended');
        return;
      } catch (thrown) {
        signal.throwIfAborted();
        const error = asShoalError(thrown);
        const lasting = error.facts['lasting'] === true || (!error.retryable && error.code !== 'defect');
        if (clock.monotonicMs() - startedMs >= this.#options.healthyMs) failures = 0;
        this.#fall(lasting ? 'failed' : 'waiting', error.message);
        const { lastingMs, awayMs, backoff } = this.#options;
        waitMs = lasting ? lastingMs : error.facts['away'] === true ? awayMs : backoffMs(failures, backoff, random);
      }
      await delay(clock, `camera ${this.assignment.cameraId}: next try`, waitMs, signal);
      this.#restarts += 1;
    }
  }

  /** Says once why the camera does not run, not at every try. */
  #fall(state: 'waiting' | 'failed', reason: string): void {
    if (reason !== this.#reason) {
      this.#deps.logger.warn('camera does not run', {
        camera: this.assignment.cameraId,
        name: this.assignment.name,
        reason,
      });
    }
    this.#state = state;
    this.#reason = reason;
  }

  /** Analyses frame after frame. Returns when a file has ended, with what was wrong with it. */
  async #watch(signal: AbortSignal): Promise<string | undefined> {
    const { models, videos } = this.#deps;
    const { cameraId, model, variant, targetFps, loop } = this.assignment;
    this.#checkMayRun();
    const lease = await models.acquire(model, variant, signal);
    // Ends the source also when a frame does not come: an iterator alone cannot be left while it waits.
    // Not `AbortSignal.any`: Node keeps such a signal, and all that waits for it, until it is aborted.
    const ended = new AbortController();
    const onStop = () => ended.abort(signal.reason);
    signal.addEventListener('abort', onStop, { once: true });
    const stream = videos.open(
      {
        camera: cameraId,
        ...sourceAt(this.#decode, this.assignment),
        input: lease.model.manifest.input,
        targetFps,
        loop,
      },
      ended.signal,
    );
    this.#stream = stream;
    this.#decoding = new DecodeMeter(this.#deps.clock, stream);
    const frames = stream[Symbol.asyncIterator]();
    const patience = new Patience(this.#options, targetFps);
    try {
      for (;;) {
        const { value: frame, done } = await this.#next(frames, patience.waitMs, ended);
        if (done) return stream.complaint;
        patience.picture(frame.capturedMonotonicMs);
        this.#decoding.frame();
        this.#checkMayRun();
        await this.#analyse(frame, lease, signal);
      }
    } finally {
      signal.removeEventListener('abort', onStop);
      ended.abort(new ShoalError('closed', 'the camera is not watched any more'));
      await frames.return?.();
      this.#droppedBefore += stream.dropped;
      this.#stream = undefined;
      this.#decoding = undefined;
      lease.release();
    }
  }

  #checkMayRun(): void {
    const reason = this.#deps.mustWait();
    if (reason !== undefined) throw new ShoalError('work.refused', reason);
  }

  /** The next frame. @throws `source.unreadable` when none comes in time */
  async #next(
    frames: AsyncIterator<VideoFrame>,
    waitMs: number,
    ended: AbortController,
  ): Promise<IteratorResult<VideoFrame>> {
    // A camera that sends its pictures by itself may have nothing to send.
    if (this.assignment.source === pushSource) return frames.next();
    const cancel = this.#deps.clock.after(`camera ${this.assignment.cameraId}: no picture`, waitMs, () =>
      ended.abort(
        new ShoalError('source.unreadable', `no picture for ${Math.round(waitMs / 100) / 10} s`, { lasting: false }),
      ),
    );
    try {
      return await frames.next();
    } catch (error) {
      // The source says that it was ended, not why.
      throw ended.signal.aborted ? ended.signal.reason : error;
    } finally {
      cancel();
    }
  }

  async #analyse(frame: VideoFrame, lease: ModelLease, signal: AbortSignal): Promise<void> {
    const { clock, onInference } = this.#deps;
    const startedAtMs = clock.nowMs();
    const { result, modelMs } = await this.#analysis.analyse(frame, lease, signal);
    if (modelMs !== undefined) onInference(lease, modelMs);
    const how = { lease: modelMs === undefined ? undefined : lease, startedAtMs };
    const report = result && (await this.#report(frame, result, how));
    this.#live.offer(frame, lease.model.manifest.input, report);
    this.#meter.frame(frame.capturedMonotonicMs);
    if (this.#state !== 'running') {
      const { cameraId: camera, name } = this.assignment;
      this.#deps.logger.info('camera runs', { camera, name });
    }
    this.#state = 'running';
    this.#reason = '';
  }

  async #report(frame: VideoFrame, seen: AnalysisResult, how: HowSeen): Promise<FrameReport> {
    const { cameraId } = this.assignment;
    const number = await this.#numbers.next();
    const result = encodeResult({
      ...seen,
      frame: { camera: cameraId, number, capturedAtMs: frame.capturedAtMs },
    });
    const attestation = await this.#attest(frame, number, result, how);
    this.#deps.outbox.add({ kind: 'camera-report', message: { cameraId, number, result, attestation } });
    return { number, result };
  }

  #attest(
    { pixels }: VideoFrame,
    number: number,
    output: Uint8Array,
    { lease, startedAtMs }: HowSeen,
  ): Promise<Uint8Array> {
    const { cameraId, pipeline } = this.assignment;
    return this.#deps.attester.attest({
      software: this.#options.software,
      pipeline,
      parameters: this.#analysis.parameters,
      model: lease ? modelOf(lease) : null,
      work: { camera: cameraId, report: number },
      startedAtMs,
      finishedAtMs: this.#deps.clock.nowMs(),
      // The pixels that the model saw: RGB of the model's input size.
      input: { name: 'frame', sha256: sha256Hex(pixels) },
      output,
      outputMediaType: resultMediaType,
    });
  }
}

/** By which model, `undefined` when none was needed, and since when on the device's wall clock, ms. */
interface HowSeen {
  readonly lease: ModelLease | undefined;
  readonly startedAtMs: number;
}

function modelOf({ model: { manifest, variant } }: ModelLease): ResultPredicate['model'] {
  return { name: manifest.name, version: manifest.version, variant: variant.name, sha256: variant.sha256 };
}

function levelOf({ decode, substream }: CameraAssignment): DecodeLevel {
  const level = decodeLevelOf(decode);
  if (level === undefined)
    throw new ShoalError('input.invalid', `a camera cannot be decoded as ${decode.slice(0, 64)}`, { field: 'decode' });
  if (level === 'substream' && substream === '')
    throw new ShoalError('input.invalid', 'the camera has no substream', { field: 'substream' });
  return level;
}

/** What is opened, and how much of it is decoded. */
function sourceAt(
  level: DecodeLevel,
  { source, substream }: CameraAssignment,
): Pick<VideoRequest, 'source' | 'leftOut'> {
  switch (level) {
    case 'full':
      return { source };
    case 'skip':
      return { source, leftOut: 'unreferenced' };
    case 'keyframes':
      return { source, leftOut: 'all-but-key' };
    case 'substream':
      return { source: substream };
  }
}
