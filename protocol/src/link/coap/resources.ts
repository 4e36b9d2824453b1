/** Where things are on a coordinator's CoAP server. */
export const registryPath = '/rd';
export const discoveryPath = '/.well-known/core';

/** Below a registration's own path: frames for the coordinator, and frames for the device. */
export const upName = 'up';
export const downName = 'down';

/** How long a registration lasts without a sign of life unless its device says otherwise, and at most, s (RFC 9176 §5: `lt`). */
export const lifetimeLimitsS = { least: 1, usual: 30, most: 3_600 } as const;

/** ETag of a frame on its way down: its number since the registration, which is how a doubled one is known. At most 8 bytes (RFC 7252 §5.10.6). */
export function etagOf(frameNumber: number): string {
  return frameNumber.toString(36);
}

export function frameNumberOf(etag: Buffer | undefined): number | undefined {
  const text = etag?.toString('latin1') ?? '';
  return /^[0-9a-z]{1,8}$/.test(text) ? Number.parseInt(text, 36) : undefined;
}
