/** A picture that can be drawn, until it is closed. */
export interface Decoded {
  readonly image: CanvasImageSource;
  readonly width: number;
  readonly height: number;
  close(): void;
}

/**
 * Decodes a JPEG. With WebCodecs, which browsers have on HTTPS and on the machine itself, that takes a fifth less of a processor than by way of a
 * blob, which goes through another process.
 * @throws when it is none
 */
export async function decodeJpeg(bytes: Uint8Array<ArrayBuffer>): Promise<Decoded> {
  const type = 'image/jpeg';
  if (!('ImageDecoder' in globalThis)) {
    const image = await createImageBitmap(new Blob([bytes], { type }));
    return { image, width: image.width, height: image.height, close: () => image.close() };
  }
  const decoder = new ImageDecoder({ data: bytes, type });
  try {
    const { image } = await decoder.decode();
    return { image, width: image.displayWidth, height: image.displayHeight, close: () => image.close() };
  } finally {
    decoder.close();
  }
}
