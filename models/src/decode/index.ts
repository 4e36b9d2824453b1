export { encodeJpeg } from './encode-jpeg.ts';
export { FramePool } from './frame-pool.ts';
export { type FrameShape, PictureDecoder, type PictureDecoderOptions } from './picture-decoder.ts';
export type { RgbPicture } from './rgb-picture.ts';
