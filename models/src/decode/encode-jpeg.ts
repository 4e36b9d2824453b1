import type load from 'sharp';

interface RgbPart {
  /** `uint8` RGB [height,width,3]. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly region: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  readonly shown: { readonly width: number; readonly height: number };
}

/** Good enough to see a face by, at a tenth of the pixels' bytes. */
const quality = 78;

let sharp: Promise<typeof load> | undefined;

/** A part of a frame as a JPEG, scaled to the size that it is shown in. sharp (libvips) is loaded by the first one. */
export async function encodeJpeg({ pixels, width, height, region, shown }: RgbPart): Promise<Uint8Array> {
  sharp ??= import('sharp').then((loaded) => loaded.default);
  const picture = (await sharp)(pixels, { raw: { width, height, channels: 3 } }).extract(region);
  const scaled =
    shown.width === region.width && shown.height === region.height
      ? picture
      : picture.resize({ ...shown, fit: 'fill' });
  return scaled.jpeg({ quality }).toBuffer();
}
