import { CameraStatus } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { footageSeen, noFootage } from '../../src/cameras/footage.ts';
import { decodeLadder } from '../../src/placement/index.ts';

const grant = { model: 'm', variant: 'int8', decode: 'full', fps: 5 } as const;
const status = (change: object = {}) =>
  CameraStatus.decode(
    CameraStatus.encode({
      ...{ cameraId: 'cam_1', state: 'running', decode: 'full', seenFps: 5 },
      ...{ sourceFps: 30, sourceWidth: 1_920, sourceHeight: 1_080 },
      ...change,
    }),
  );

describe('what is known of a source', () => {
  it('is what its device says of it', () => {
    expect(footageSeen(noFootage, status(), grant)).toEqual({ megapixels: 2.0736, fps: 30, seenFps: {} });
  });

  it('is what a level gives, once that is less than what was asked for', () => {
    const keyframes = { ...grant, decode: 'keyframes' as const };
    const few = footageSeen(noFootage, status({ decode: 'keyframes', seenFps: 0.4 }), keyframes);
    expect(few.seenFps).toEqual({ keyframes: 0.4 });
    // That five come says that at least five do.
    expect(footageSeen(few, status({ decode: 'keyframes', seenFps: 4.9 }), keyframes).seenFps).toEqual({
      keyframes: 5,
    });
  });

  it('is not that a source gives no more than was granted, when that came', () => {
    const half = footageSeen(noFootage, status({ seenFps: 10 }), { ...grant, fps: 10 });
    expect(decodeLadder({ ...half, hasSubstream: false }, 20, 1)[0]).toMatchObject({ level: 'full', fps: 20 });
  });

  it('is what it was before it stumbled, once it is well again', () => {
    const stumbled = footageSeen(noFootage, status({ seenFps: 1 }), grant);
    expect(stumbled.seenFps).toEqual({ full: 1 });
    expect(footageSeen(stumbled, status(), grant).seenFps).toEqual({});
  });

  it('is not the size of the substream', () => {
    const small = status({ decode: 'substream', sourceWidth: 640, sourceHeight: 360 });
    expect(footageSeen(noFootage, small, { ...grant, decode: 'substream' })).toMatchObject({
      megapixels: 0.92,
      fps: 25,
    });
  });

  it.each([
    ['a camera that does not run', { state: 'connecting' }],
    ['one that has had no frame yet', { seenFps: 0 }],
    ['one that is still decoded as it was before', { decode: 'skip' }],
  ])('is nothing new from %s', (_what, change) => {
    expect(footageSeen(noFootage, status(change), grant)).toBe(noFootage);
  });

  it('stays what it was where the source does not say', () => {
    const before = { megapixels: 2, fps: 15, seenFps: {} };
    const mute = status({ sourceWidth: 0, sourceHeight: 0, sourceFps: 0 });
    expect(footageSeen(before, mute, grant)).toEqual({ megapixels: 2, fps: 15, seenFps: {} });
    expect(footageSeen(before, status({ sourceFps: 0 }), grant)).toMatchObject({ megapixels: 2.0736, fps: 15 });
  });
});
