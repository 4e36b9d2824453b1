export type ModelOutput =
  | { readonly kind: 'detections'; readonly detections: readonly Detection[] }
  | { readonly kind: 'classes'; readonly classes: readonly ClassScore[] };

export interface Detection {
  readonly label: string;
  /** Index into the manifest's labels. */
  readonly classIndex: number;
  /** 0..1 */
  readonly score: number;
  /** In pixels of the source picture, clipped to it. */
  readonly box: Box;
}

/** Left, top, width, height. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface ClassScore {
  readonly label: string;
  /** Index into the manifest's labels. */
  readonly classIndex: number;
  /** 0..1 */
  readonly score: number;
}

/** What a caller wants of the output. */
export interface InferenceParameters {
  /** 0..1; results below are not reported. Left out: the manifest's default. */
  readonly minScore?: number;
  readonly maxResults?: number;
}
