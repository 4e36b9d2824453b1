import { ShoalError } from '@shoal/protocol';

const mostBytesPerPicture = 64 << 20;

/**
 * Cuts a stream of JPEG files one after the other, as ffmpeg writes them. Inside of a JPEG's data `ff` is followed by `00` or a restart
 * marker (ITU-T T.81 §B.1.1.5), so `ff d9` is its end; ffmpeg writes no thumbnails, whose end would be inside.
 */
export class JpegSplitter {
  #rest: Buffer = Buffer.alloc(0);
  #searched = 0;

  /** Takes in bytes and gives the pictures that are whole now. @throws `input.too-large` when one has no end. */
  push(chunk: Uint8Array): Uint8Array<ArrayBuffer>[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const pictures: Uint8Array<ArrayBuffer>[] = [];
    for (let end = this.#endOfPicture(); end > 0; end = this.#endOfPicture()) {
      pictures.push(Uint8Array.from(this.#rest.subarray(0, end)));
      this.#rest = this.#rest.subarray(end);
      this.#searched = 0;
    }
    if (this.#rest.length > mostBytesPerPicture)
      throw new ShoalError('input.too-large', 'a picture of the video has no end');
    return pictures;
  }

  #endOfPicture(): number {
    const found = this.#rest.indexOf(endOfImage, this.#searched);
    // The last byte may be the first half of the marker.
    this.#searched = Math.max(0, this.#rest.length - 1);
    return found < 0 ? 0 : found + endOfImage.length;
  }
}

const endOfImage = Buffer.from([0xff, 0xd9]);
