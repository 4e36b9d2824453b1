/** A picture in the model's input size and layout, and how it came from the source picture. */
export interface ModelFrame {
  /** `uint8` RGB pixels [height,width,3] of the model's input size, in a SharedArrayBuffer. */
  readonly pixels: Uint8Array;
  readonly placement: FramePlacement;
}

/** Where the source picture lies within the model's input: `inputX = sourceX * scaleX + offsetX`, in pixels. */
export interface FramePlacement {
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}
