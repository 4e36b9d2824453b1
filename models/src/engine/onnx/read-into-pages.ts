import { open } from 'node:fs/promises';

/**
 * A file's bytes in pages of their own, which go back to the system as soon as they are freed. What `readFile` gives is of the C library, which keeps such
 * large pieces for itself once larger ones were freed: 3 to 7 MB of an agent, by chance.
 */
export async function readIntoPages(path: string): Promise<Uint8Array> {
  await using file = await open(path);
  const { size } = await file.stat();
  // Resizable array buffers are mapped by V8, not allocated.
  const bytes = new Uint8Array(new ArrayBuffer(size, { maxByteLength: size }));
  for (let at = 0; at < size; ) {
    const { bytesRead } = await file.read(bytes, at, size - at, at);
    // Somebody cuts it short: its digest will not be right.
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes;
}
