import {
  type AnalysisResult,
  type CameraAssignment,
  newId,
  parseMasks,
  parseSceneParameters,
  type Random,
  type SceneParameters,
} from '@shoal/protocol';
import type { ModelLease } from '../loaded-models/index.ts';
import { analysisOf, sceneResult } from '../pipelines/index.ts';
import { appearanceOf, Masks, type MotionPicture, Scene, type SceneNews, scoresFrom } from '../scene/index.ts';
import type { VideoFrame } from '../video/index.ts';
import { parseParameters, type WorkParameters } from '../work/index.ts';

/** What a camera's pipeline makes of one frame after the other. */
export interface FrameAnalysis {
  /** As they were given, for the attestation. */
  readonly parameters: WorkParameters['given'];
  analyse(frame: VideoFrame, lease: ModelLease, signal: AbortSignal): Promise<FrameOutcome>;
}

export interface FrameOutcome {
  /** `undefined` when there is nothing to report. */
  readonly result: AnalysisResult | undefined;
  /** What the model took, with reading its output, ms; `undefined` when it was not needed. */
  readonly modelMs: number | undefined;
}

/** @throws `input.invalid` for parameters that are none */
export function frameAnalysisFor({ pipeline, parametersJson }: CameraAssignment, random: Random): FrameAnalysis {
  const parameters = parseParameters(parametersJson);
  const masks = new Masks(parseMasks(parameters.given));
  const analysis = pipeline === 'watch' ? new WatchedFrames(parameters, random) : new EachFrame(pipeline, parameters);
  return {
    parameters: parameters.given,
    analyse(frame, lease, signal) {
      // Before anything else is done with the picture, whatever that is.
      masks.cover(frame, lease.model.manifest.input.width);
      return analysis.analyse(frame, lease, signal);
    },
  };
}

/** Each frame on its own. */
class EachFrame implements Pick<FrameAnalysis, 'analyse'> {
  readonly #pipeline: string;
  readonly #inference: WorkParameters['inference'];

  constructor(pipeline: string, { inference }: WorkParameters) {
    this.#pipeline = pipeline;
    this.#inference = inference;
  }

  async analyse(frame: VideoFrame, lease: ModelLease, signal: AbortSignal): Promise<FrameOutcome> {
    const { output, inferenceMs, decodeMs } = await lease.model.infer(frame, this.#inference, signal);
    const result = analysisOf(output, { pipeline: this.#pipeline, picture: pictureOf(frame) });
    return { result, modelMs: inferenceMs + decodeMs };
  }
}

/** A scene in which nothing goes on is reported so often all the same, ms: that somebody looked and saw nothing is worth proving. */
const quietReportMs = 10_000;
/** That something moves, or does not any more, is told at most so often, ms. */
const motionEveryMs = 1_000;
const mostThings = 100;

/** Frames as the scene that they are of. */
class WatchedFrames implements Pick<FrameAnalysis, 'analyse'> {
  readonly #inference: WorkParameters['inference'];
  readonly #scene: Scene;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #reportedSomebody = false;
  #reportedMotion = false;

  constructor({ given, inference }: WorkParameters, random: Random) {
    const parameters: SceneParameters = parseSceneParameters(given);
    // The tracker makes something of unsure ones too.
    this.#inference = { maxResults: mostThings, ...inference, minScore: scoresFrom(parameters.minScore).weakScore };
    this.#scene = new Scene(parameters, (atMs) => newId('evt', atMs, random));
  }

  async analyse(frame: VideoFrame, lease: ModelLease, signal: AbortSignal): Promise<FrameOutcome> {
    const { width, height } = lease.model.manifest.input;
    const picture = pictureOf(frame);
    if (!this.#scene.isWorthALook(withinFrame(frame, width, height), frame))
      return { result: this.#worthReporting(this.#scene.unchanged(picture), frame), modelMs: undefined };
    const { output, inferenceMs, decodeMs } = await lease.model.infer(frame, this.#inference, signal);
    const things = output.kind === 'detections' ? output.detections : [];
    const found = things.map((thing) => ({ ...thing, appearance: appearanceOf(frame, width, thing.box) }));
    const news = this.#scene.look(found, picture, frame);
    return { result: this.#worthReporting(news, frame), modelMs: inferenceMs + decodeMs };
  }

  #worthReporting(news: SceneNews, frame: VideoFrame): AnalysisResult | undefined {
    const nowMs = frame.capturedMonotonicMs;
    const somebody = news.tracks.length > 0;
    const motion = news.motion > 0;
    const isNews =
      (motion !== this.#reportedMotion && nowMs - this.#reportedMs >= motionEveryMs) ||
      news.events.length > 0 ||
      news.crossings.length > 0 ||
      (news.looked && somebody) ||
      somebody !== this.#reportedSomebody ||
      nowMs - this.#reportedMs >= quietReportMs;
    if (!isNews) return undefined;
    this.#reportedMs = nowMs;
    this.#reportedSomebody = somebody;
    this.#reportedMotion = motion;
    return sceneResult(news, { pipeline: 'watch', picture: pictureOf(frame) });
  }
}

function pictureOf({ placement }: VideoFrame): { readonly width: number; readonly height: number } {
  return { width: placement.sourceWidth, height: placement.sourceHeight };
}

/** The part of the model's input that is picture. */
function withinFrame({ pixels, placement }: VideoFrame, width: number, height: number): MotionPicture {
  const { sourceWidth, sourceHeight, scaleX, scaleY, offsetX, offsetY } = placement;
  const inside = (value: number, most: number) => Math.round(Math.min(most, Math.max(0, value)));
  return {
    pixels,
    width,
    left: inside(offsetX, width),
    top: inside(offsetY, height),
    right: inside(offsetX + sourceWidth * scaleX, width),
    bottom: inside(offsetY + sourceHeight * scaleY, height),
  };
}
