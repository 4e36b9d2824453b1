import { decodeResult, type SceneResult, verifyAttestation } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aFleet } from '../support/a-fleet.ts';

const aCamera = (parameters: object = {}) => ({
  cameraId: 'cam_1',
  revision: 1,
  name: 'door',
  source: 'rtsp://10.0.0.7/stream',
  pipeline: 'watch',
  model: 'tiny',
  variant: 'int8',
  targetFps: 5,
  parametersJson: JSON.stringify(parameters),
});

async function aWatchingFleet(parameters: object = {}) {
  const fleet = await aFleet({ config: { profiler: { settleMs: 1e12 } } });
  const assigning = fleet.coordinator.assign(fleet.agent.id, aCamera(parameters));
  return {
    ...fleet,
    assigned: fleet.clock.until(assigning),
    reports: async (count: number) => {
      await fleet.clock.until(fleet.coordinator.until(() => fleet.coordinator.reports.length >= count));
      return fleet.coordinator.reports.map((report) => {
        const { predicate } = verifyAttestation(report.attestation, report.result, fleet.identity);
        return { result: decodeResult(report.result) as SceneResult, predicate };
      });
    },
  };
}

describe('a camera that is watched', () => {
  it('reports its scene; and that nothing went on, without the model, each ten seconds', async () => {
    const fleet = await aWatchingFleet({ labels: ['unicorn'] });
    await fleet.assigned;
    const [first, second] = await fleet.reports(2);
    expect(first?.result).toMatchObject({
      kind: 'scene',
      pipeline: 'watch',
      picture: { width: 16, height: 16 },
      frame: { camera: 'cam_1', number: 1 },
      looked: true,
    });
    expect(first?.predicate.model).toMatchObject({ name: 'tiny', variant: 'int8' });
    expect(second?.result).toMatchObject({ looked: false, motion: 0, tracks: [], events: [] });
    expect(second?.predicate.model).toBeNull();
    const [before, after] = [first, second].map((one) => one?.result.frame?.capturedAtMs ?? 0) as [number, number];
    expect(after - before).toBeGreaterThanOrEqual(10_000);
    expect(after - before).toBeLessThan(10_500);
  });

  it('is refused with a zone of two points, which is named', async () => {
    const fleet = await aWatchingFleet({
      zones: {
        door: [
          [0, 0],
          [1, 1],
        ],
      },
    });
    await expect(fleet.assigned).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringContaining('zones.door: a polygon has at least 3 points'),
    });
  });
});
