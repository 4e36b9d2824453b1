/**
 * Gives the memory of a typed array back now, unless it is a part of something larger. Big buffers that a native library makes for
 * every picture are small objects to the collector, which so lets tens of megabytes of them pile up.
 */
export function freeMemory({ buffer, byteLength }: Uint8Array | Float32Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transferToFixedLength(0);
}
