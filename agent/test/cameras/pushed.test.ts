import { decodeResult, sha256Hex, verifyAttestation } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aFleet } from '../support/a-fleet.ts';

const aCamera = (camera: object = {}) => ({
  ...{ cameraId: 'cam_1', revision: 1, name: 'esp32', source: 'push:', pipeline: 'detect', model: 'tiny' },
  ...{ variant: 'int8', targetFps: 5, ...camera },
});

/** A fleet with a camera that sends its pictures by itself; a picture is one byte that all of its pixels have. */
async function aPushedCamera() {
  const fleet = await aFleet({ config: { profiler: { settleMs: 1e12 } } });
  const { clock, coordinator, agent } = fleet;
  await clock.until(coordinator.assign(agent.id, aCamera()));
  await clock.advance(500);
  return {
    ...fleet,
    push: (...pictures: number[]) =>
      clock.until(coordinator.push(agent.id, 'cam_1', ...pictures.map((byte) => Uint8Array.of(byte)))),
    reports: async (count: number) => {
      await clock.until(coordinator.until(() => coordinator.reports.length >= count));
      return coordinator.reports;
    },
    status: () => agent.status().cameras?.[0],
  };
}

describe('a camera that sends its pictures by itself', () => {
  it('is analysed picture by picture, each signed for its very pixels, and its frames are given back', async () => {
    const { push, reports, identity, videos, givenBack } = await aPushedCamera();
    await push(40);
    await reports(1);
    await push(41);
    const [first, second] = await reports(2);
    if (!first || !second) throw new Error('no report');
    expect(decodeResult(first.result)).toMatchObject({ kind: 'detections', picture: { width: 16, height: 16 } });
    const { subject } = verifyAttestation(second.attestation, second.result, identity);
    expect(subject[0].digest.sha256).toBe(sha256Hex(new Uint8Array(8 * 8 * 3).fill(41)));
    expect(givenBack).toEqual([40, 41]);
    expect(videos.opened).toEqual([]);
  });

  it('may keep silent for hours', async () => {
    const { push, reports, clock, status } = await aPushedCamera();
    await push(40);
    await reports(1);
    await clock.advance(3 * 3_600_000);
    expect(status()).toMatchObject({ state: 'running', reason: '', restarts: 0 });
    await push(41);
    await reports(2);
    expect(status()).toMatchObject({ frames: 2, sourceWidth: 16, sourceHeight: 16 });
  });

  it('is analysed at its newest picture; those that nobody had time for are counted', async () => {
    const { clock, coordinator, agent, reports, identity, status } = await aPushedCamera();
    const all = [1, 2, 3, 4].map((byte) => coordinator.push(agent.id, 'cam_1', Uint8Array.of(byte)));
    await clock.until(Promise.all(all));
    const [last] = await reports(1);
    if (!last) throw new Error('no report');
    const { subject } = verifyAttestation(last.attestation, last.result, identity);
    expect(subject[0].digest.sha256).toBe(sha256Hex(new Uint8Array(8 * 8 * 3).fill(4)));
    expect(status()?.dropped).toBe(3);
  });

  it('goes on after a picture that cannot be read', async () => {
    const { push, reports, status } = await aPushedCamera();
    await push(0);
    await push(7);
    await reports(1);
    expect(status()).toMatchObject({ state: 'running', dropped: 1, restarts: 0 });
  });

  it('that is not watched here is refused, as is more than a picture, and none', async () => {
    const { clock, coordinator, agent, push } = await aPushedCamera();
    await expect(clock.until(coordinator.push(agent.id, 'cam_2', Uint8Array.of(1)))).rejects.toMatchObject({
      message: expect.stringContaining('not watched here'),
    });
    await expect(push(1, 2)).rejects.toMatchObject({ message: expect.stringContaining('one picture at a time') });
    await expect(push()).rejects.toMatchObject({ message: expect.stringContaining('one picture at a time') });
  });

  it('ends at once when it is taken off, with nothing left behind', async () => {
    const { clock, coordinator, agent, status } = await aPushedCamera();
    await clock.until(coordinator.removeCamera(agent.id, 'cam_1'));
    expect(status()).toBeUndefined();
    await expect(clock.until(coordinator.push(agent.id, 'cam_1', Uint8Array.of(1)))).rejects.toThrow('not watched');
  });
});
