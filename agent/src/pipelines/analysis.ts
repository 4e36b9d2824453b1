import type { ModelOutput } from '@shoal/models';
import type { AnalysisResult, ResultBox, SceneResult } from '@shoal/protocol';

interface Options {
  readonly pipeline: string;
  readonly picture: { readonly width: number; readonly height: number };
}

/** What a model saw as a result. Numbers are rounded here, once, so that the bytes are the same on every machine. */
export function analysisOf(output: ModelOutput, { pipeline, picture }: Options): AnalysisResult {
  const base = { schema: 1 as const, pipeline, picture };
  switch (output.kind) {
    case 'detections':
      return {
        ...base,
        kind: 'detections',
        detections: output.detections.map(({ label, score, box }) => ({
          label,
          score: rounded(score, 10_000),
          box: roundedBox(box),
        })),
      };
    case 'classes':
      return {
        ...base,
        kind: 'classes',
        classes: output.classes.map(({ label, score }) => ({ label, score: rounded(score, 10_000) })),
      };
  }
}

/** The same of what a camera's scene told. */
export function sceneResult(
  {
    motion,
    tracks,
    events,
    ...rest
  }: Pick<SceneResult, 'motion' | 'looked' | 'tracks' | 'unseen' | 'crossings' | 'events'>,
  { pipeline, picture }: Options,
): SceneResult {
  return {
    schema: 1,
    kind: 'scene',
    pipeline,
    picture,
    ...rest,
    motion: rounded(motion, 10_000),
    tracks: tracks.map((track) => ({ ...track, score: rounded(track.score, 10_000), box: roundedBox(track.box) })),
    events: events.map((event) => ({
      ...event,
      topScore: rounded(event.topScore, 10_000),
      box: roundedBox(event.box),
      zones: Object.fromEntries(Object.entries(event.zones).map(([zone, ms]) => [zone, Math.round(ms)])),
    })),
  };
}

function roundedBox({ x, y, width, height }: ResultBox): ResultBox {
  return { x: rounded(x, 100), y: rounded(y, 100), width: rounded(width, 100), height: rounded(height, 100) };
}

function rounded(value: number, parts: number): number {
  const whole = Math.round(value * parts) / parts;
  // JSON has no -0, and two ways to say nothing would be one too many.
  return whole === 0 ? 0 : whole;
}
