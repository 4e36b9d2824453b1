import type { ModelOutput } from '@shoal/models';
import type { AnalysisResult } from '@shoal/protocol';

interface Options {
  readonly pipeline: string;
  readonly picture: { readonly width: number; readonly height: number };
  readonly frame?: AnalysisResult['frame'];
}

/** What a model saw as a result. Numbers are rounded here, once, so that the bytes are the same on every machine. */
export function analysisOf(output: ModelOutput, { pipeline, picture, frame }: Options): AnalysisResult {
  const base = { schema: 1 as const, pipeline, picture, ...(frame && { frame }) };
  switch (output.kind) {
    case 'detections':
      return {
        ...base,
        kind: 'detections',
        detections: output.detections.map(({ label, score, box }) => ({
          label,
          score: rounded(score, 10_000),
          box: {
            x: rounded(box.x, 100),
            y: rounded(box.y, 100),
            width: rounded(box.width, 100),
            height: rounded(box.height, 100),
          },
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

function rounded(value: number, parts: number): number {
  const whole = Math.round(value * parts) / parts;
  // JSON has no -0, and two ways to say nothing would be one too many.
  return whole === 0 ? 0 : whole;
}
