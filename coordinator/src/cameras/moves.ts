import type { CameraMove } from '../domain/index.ts';
import type { LiveCamera } from './live-camera.ts';

/** Moves that are shown of a camera. */
const movesKept = 8;

/** The moves of the camera, with the one to this device when it comes from another. */
export function withMove({ camera, cameFrom }: LiveCamera, to: string, atMs: number): readonly CameraMove[] {
  const { moves = [], formerDevices, reason } = camera;
  const from = cameFrom?.device ?? formerDevices.at(-1);
  if (from === undefined || from === to) return moves;
  return [...moves, { atMs, from, to, reason: cameFrom?.reason ?? reason }].slice(-movesKept);
}
