import type { Box, Seen } from './types.ts';

/** What is common to the kinds of results. Those that are not known are seen as nothing. */
interface Analysis {
  readonly kind: string;
  readonly picture?: { readonly width: number; readonly height: number };
  readonly motion?: number;
  readonly detections?: readonly { readonly label: string; readonly score: number; readonly box: Box }[];
  readonly tracks?: readonly (Seen & { readonly track: number; readonly box: Box })[];
  readonly classes?: readonly { readonly label: string; readonly score: number }[];
  readonly frame?: { readonly camera: string; readonly number: number; readonly capturedAtMs: number };
}

export type { Analysis };

/** Classes that are shown of a picture that was sorted into many. */
const fewClasses = 3;

export function seenOn(analysis: Analysis | undefined): readonly Seen[] {
  switch (analysis?.kind) {
    case 'detections':
      return analysis.detections ?? [];
    case 'scene':
      return analysis.tracks ?? [];
    case 'classes':
      return (analysis.classes ?? []).slice(0, fewClasses);
    default:
      return [];
  }
}
