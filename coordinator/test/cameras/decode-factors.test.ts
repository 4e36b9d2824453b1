import { type DecodeLevel, decodeLevelOf } from '@shoal/protocol';
import { expect, it } from 'vitest';
import { create, joined } from '../support/watching.ts';
import { aWorld } from '../support/world.ts';

const seconds = (count: number) => count * 1_000;
/** Cores that a camera of 4K keeps busy; its substream is much smaller than substreams usually are. */
const cores: { readonly [Level in DecodeLevel]: number } = {
  full: 0.52,
  skip: 0.31,
  keyframes: 0.09,
  substream: 0.0015,
};

it('cameras are not raised over and over because their substreams take less than was assumed', async () => {
  const world = await aWorld();
  const device = await joined(world, 1, { capability: { cores: 1, taskSlots: 1 } });
  device.tells = ({ cameras }) => ({
    cameras: Array.from(cameras.values(), ({ cameraId, decode, targetFps }) => ({
      cameraId,
      decode,
      state: 'running',
      frames: 100,
      fps: targetFps,
      seenFps: decode === 'keyframes' ? 0.5 : targetFps,
      sourceFps: 25,
      sourceWidth: 3_840,
      sourceHeight: 2_160,
      decodeCores: cores[decodeLevelOf(decode) ?? 'full'],
    })),
  });
  const ids: string[] = [];
  for (let n = 0; n < 3; n++)
    ids.push(await create(world, { name: `${n}`, targetFps: 20, substream: 'rtsp://10.0.0.9/small' }));
  const revisions = () => ids.map((id) => world.coordinator.cameras.get(id).revision);
  await world.clock.advance(seconds(300));
  const before = revisions();
  expect(ids.map((id) => device.cameras.get(id)?.decode)).toEqual(['substream', 'substream', 'substream']);
  await world.clock.advance(seconds(600));
  expect(revisions()).toEqual(before);
});
