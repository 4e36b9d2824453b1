import { CameraStatus } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { serviceLevelOf } from '../../src/cameras/service-level.ts';
import { aCamera } from '../support/builders.ts';

const grant = { model: 'm', variant: 'int8', decode: 'full', fps: 5 } as const;
const camera = aCamera({ device: 'dev_a', grant });
const withP95 = { ...camera, spec: { ...camera.spec, p95Ms: 100 } };
const status = (change: object = {}) =>
  CameraStatus.decode(
    CameraStatus.encode({
      cameraId: 'cam_1',
      state: 'running',
      fps: 4.9,
      seenFps: 5,
      frames: 100,
      latencyP95Ms: 80,
      decode: 'full',
      ...change,
    }),
  );

describe('the level of service of a camera', () => {
  it.each([
    [camera, status(), true, '4.9 frames a second, 95 of 100 within 80 ms'],
    [withP95, status(), true, '4.9 frames a second, 95 of 100 within 80 ms'],
    [withP95, status({ latencyP95Ms: 120.2 }), false, '95 of 100 frames take up to 121 ms, not 100 ms'],
    [aCamera({ reason: 'no device has joined' }), undefined, false, 'waits for a device: no device has joined'],
    [camera, undefined, false, 'it is about to start'],
    [camera, status({ state: 'failed', reason: 'the password is wrong', fps: 0 }), false, 'the password is wrong'],
    [camera, status({ fps: 2, seenFps: 2 }), false, '2.0 of 5 frames a second: the source gives no more'],
    [camera, status({ fps: 3 }), false, '3.0 of 5 frames a second: its device does not keep up'],
    [
      { ...camera, grant: { ...grant, decode: 'keyframes' as const } },
      status({ fps: 0.5, seenFps: 0.5, decode: 'keyframes' }),
      false,
      '0.5 of 5 frames a second: its device has room to decode it at keyframes only',
    ],
    [
      { ...camera, grant: { ...grant, fps: 1.75 } },
      status({ fps: 1.7, seenFps: 1.75 }),
      false,
      '1.7 of 5 frames a second: it was given 1.8, its device has no time for more',
    ],
  ])('%#', (of, said, met, detail) => {
    expect(serviceLevelOf(of, said)).toEqual({ met, detail });
  });
});
