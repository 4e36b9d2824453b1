import { ShoalError } from '../../errors/index.ts';
import type { LinkTraits } from '../link.ts';
import type { Libp2pLimits } from './limits.ts';

/** One stream between a device, which opens it, and its coordinator; frames both ways, each with its length before it. */
export const linkProtocol = '/shoal/link/1';

export function traitsOf({ maxFrameBytes }: Libp2pLimits): LinkTraits {
  return { maxFrameBytes, reliable: true, ordered: true, duplex: true };
}

/** @throws `message.too-large` */
export function requireFits(frame: Uint8Array, { maxFrameBytes }: LinkTraits): void {
  if (frame.length <= maxFrameBytes) return;
  throw new ShoalError('message.too-large', `a frame of ${frame.length} bytes; this link takes ${maxFrameBytes}`);
}
