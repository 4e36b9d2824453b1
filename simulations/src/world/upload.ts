import type { BlobRef, Coordinator } from '@shoal/coordinator';

const never = new AbortController().signal;

/** Brings a picture to the coordinator, as somebody does who wants it analysed. */
export function upload({ blobs }: Coordinator, picture: Uint8Array): Promise<BlobRef> {
  return blobs.put(inOnePiece(picture), 'image/jpeg', never);
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
