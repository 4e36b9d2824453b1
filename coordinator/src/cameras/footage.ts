import { type CameraStatus, type DecodeLevel, decodeLevelOf } from '@shoal/protocol';
import type { CameraGrant } from '../domain/index.ts';
import { assumedFps, type Footage, nearlyAll, unknownFootage } from '../placement/index.ts';

type Seen = Omit<Footage, 'hasSubstream'>;

export const noFootage: Seen = unknownFootage;

/** What is known of a source when a device has said how it does with it. */
export function footageSeen(before: Seen, status: CameraStatus, grant: CameraGrant | undefined): Seen {
  const level = decodeLevelOf(status.decode);
  if (status.state !== 'running' || level === undefined || status.seenFps <= 0) return before;
  // Of a device that was not told yet, or has not heard.
  if (grant?.decode !== level) return before;
  const seenFps = ratesSeen(before, level, status.seenFps, grant.fps);
  const { sourceWidth, sourceHeight, sourceFps } = status;
  // A substream says nothing of the source.
  if (level === 'substream' || sourceWidth === 0 || sourceHeight === 0) return { ...before, seenFps };
  const megapixels = (sourceWidth * sourceHeight) / 1e6;
  return { megapixels, fps: sourceFps > 0 ? sourceFps : before.fps, seenFps };
}

/** At most what was granted comes: a rate below that is all that the level gives; otherwise it gives that much or more. */
function ratesSeen({ seenFps, fps }: Seen, level: DecodeLevel, cameFps: number, grantedFps: number): Seen['seenFps'] {
  const { [level]: before, ...others } = seenFps;
  if (cameFps < nearlyAll * grantedFps) return { ...others, [level]: cameFps };
  const assumed = assumedFps(level, fps);
  if ((before ?? assumed) >= grantedFps) return seenFps;
  return assumed >= grantedFps ? others : { ...others, [level]: grantedFps };
}
