import { ShoalError } from '@shoal/protocol';

/** The same bytes, until there are more than allowed. @throws `input.too-large` */
export async function* limited(content: AsyncIterable<Uint8Array>, limitBytes: number): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const piece of content) {
    sizeBytes += piece.length;
    if (sizeBytes > limitBytes) {
      throw new ShoalError('input.too-large', `the input is larger than ${limitBytes} bytes`, { limitBytes });
    }
    yield piece;
  }
}
