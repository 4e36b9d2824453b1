import type { ImageInput } from '../manifest/index.ts';
import type { FramePlacement } from './model-frame.ts';

/** Whole pixels: left, top, width, height. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The part of the source picture that is used, and the part of the model's input that it fills. */
export interface Fit {
  readonly from: Region;
  readonly to: Region;
  readonly placement: FramePlacement;
}

/** How a picture of this size comes into the model's input. Both sizes in whole pixels, at least 1. */
export function fitPicture(
  input: Pick<ImageInput, 'width' | 'height' | 'fit'>,
  sourceWidth: number,
  sourceHeight: number,
): Fit {
  const whole = { left: 0, top: 0, width: sourceWidth, height: sourceHeight };
  switch (input.fit) {
    case 'stretch':
      return placed(whole, whole, { left: 0, top: 0, width: input.width, height: input.height });
    case 'centre-crop':
      return placed(whole, centredCrop(input, whole), { left: 0, top: 0, width: input.width, height: input.height });
    case 'letterbox-top-left':
      return placed(whole, whole, { left: 0, top: 0, ...letterboxed(input, whole) });
    case 'letterbox-centre': {
      const { width, height } = letterboxed(input, whole);
      const left = Math.floor((input.width - width) / 2);
      const top = Math.floor((input.height - height) / 2);
      return placed(whole, whole, { left, top, width, height });
    }
  }
}

function letterboxed(input: Pick<ImageInput, 'width' | 'height'>, source: Region): Pick<Region, 'width' | 'height'> {
  const scale = Math.min(input.width / source.width, input.height / source.height);
  return {
    width: Math.min(input.width, Math.max(1, Math.round(source.width * scale))),
    height: Math.min(input.height, Math.max(1, Math.round(source.height * scale))),
  };
}

function centredCrop(input: Pick<ImageInput, 'width' | 'height'>, source: Region): Region {
  const scale = Math.max(input.width / source.width, input.height / source.height);
  const width = Math.min(source.width, Math.max(1, Math.round(input.width / scale)));
  const height = Math.min(source.height, Math.max(1, Math.round(input.height / scale)));
  return {
    left: Math.floor((source.width - width) / 2),
    top: Math.floor((source.height - height) / 2),
    width,
    height,
  };
}

/** The scale is taken from the whole pixels, so that a box comes back to exactly where it was seen. */
function placed(source: Region, from: Region, to: Region): Fit {
  const scaleX = to.width / from.width;
  const scaleY = to.height / from.height;
  return {
    from,
    to,
    placement: {
      sourceWidth: source.width,
      sourceHeight: source.height,
      scaleX,
      scaleY,
      offsetX: to.left - from.left * scaleX,
      offsetY: to.top - from.top * scaleY,
    },
  };
}
