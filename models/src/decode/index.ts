export { FramePool } from './frame-pool.ts';
export { PictureDecoder, type PictureDecoderOptions } from './picture-decoder.ts';
export type { RgbPicture } from './rgb-picture.ts';
