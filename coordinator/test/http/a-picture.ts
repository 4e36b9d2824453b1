import { systemClock } from '@shoal/protocol/real';
import type { LivePicture } from '../../src/domain/index.ts';

/** The least that passes for a JPEG, with one thing seen on it. */
export const aPicture = (camera: string, nowMs = systemClock.monotonicMs()): LivePicture => ({
  camera,
  device: 'dev_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  jpeg: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9),
  capturedAtMs: 1_763_000_000_000,
  bornMs: nowMs - 40,
  number: 7,
  analysis: {
    schema: 1,
    kind: 'detections',
    pipeline: 'detect',
    picture: { width: 640, height: 360 },
    frame: { camera, number: 7, capturedAtMs: 1_763_000_000_000 },
    detections: [{ label: 'person', score: 0.9, box: { x: 1, y: 2, width: 3, height: 4 } }],
  },
});
