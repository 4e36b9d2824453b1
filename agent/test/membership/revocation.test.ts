import { createLogger, type LogRecord } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aFleet, aTask, never } from '../support/a-fleet.ts';

const aCamera = {
  cameraId: 'cam_1',
  revision: 1,
  name: 'door',
  source: 'rtsp://10.0.0.7/stream',
  pipeline: 'detect',
  model: 'tiny',
  variant: 'int8',
  targetFps: 5,
};

/** One whose telemetry is so rare that what it hears first is the answer to a result. */
async function aBusyFleet({ telemetryIntervalMs = 5_000, settleMs = 1e12 } = {}) {
  const said: LogRecord[] = [];
  const logger = createLogger((record) => said.push(record), 'warn');
  const fleet = await aFleet({ started: false, logger, inferenceMs: 1_000, config: { profiler: { settleMs } } });
  const { clock, coordinator, agent } = fleet;
  coordinator.welcome = { ...coordinator.welcome, telemetryIntervalMs };
  await agent.start(never);
  await clock.until(agent.joined());
  await clock.advance(1_000);
  return { ...fleet, said };
}

type BusyFleet = Awaited<ReturnType<typeof aBusyFleet>>;

async function expectEnded({ clock, coordinator, agent, videos, store, said }: BusyFleet): Promise<void> {
  await clock.until(agent.revoked());
  expect(agent.status()).toMatchObject({ membership: 'revoked', cameras: [], running: 0, queued: 0 });
  expect(videos.open_).toBe(0);
  expect(store.cameras.all()).toEqual([]);
  const heard = coordinator.heard.length;
  const opened = videos.opened.length;
  await clock.advance(3_600_000);
  expect(coordinator.heard).toHaveLength(heard);
  expect(videos.opened).toHaveLength(opened);
  expect(said.map(({ message }) => message)).toEqual([
    'the coordinator revoked this device: it stops, and forgets its cameras. To have it back, ask the operator for a token: shoal-agent join TOKEN --data OTHER',
  ]);
}

describe('a device that is revoked', () => {
  it('ends its camera and forgets it when a report is answered so, and offers no report again', async () => {
    const fleet = await aBusyFleet({ telemetryIntervalMs: 1e9 });
    const { clock, coordinator, agent } = fleet;
    await clock.until(coordinator.assign(agent.id, aCamera));
    await clock.until(coordinator.until(() => coordinator.reports.length > 1));
    const reports = () => coordinator.heard.filter((kind) => kind === 'cameraReport').length;
    const before = reports();
    coordinator.revoked.add(agent.id);
    await expectEnded(fleet);
    expect(reports()).toBe(before + 1);
  });

  it('ends its work when telemetry is answered so', async () => {
    const fleet = await aBusyFleet();
    const { clock, coordinator, agent } = fleet;
    for (const { assignment, input } of [aTask(), aTask(), aTask()]) {
      await clock.until(coordinator.offer(agent.id, assignment, [input]));
    }
    coordinator.revoked.add(agent.id);
    await expectEnded(fleet);
    expect(coordinator.outcomes).toEqual([]);
  });

  it('measures nothing any more', async () => {
    const fleet = await aBusyFleet({ settleMs: 60_000 });
    fleet.coordinator.revoked.add(fleet.agent.id);
    await expectEnded(fleet);
    expect(fleet.agent.status().profiles).toEqual([]);
  });

  it('ends when it hears of it at a start: the camera of its store does not go on', async () => {
    const fleet = await aBusyFleet();
    const { clock, coordinator, make } = fleet;
    await clock.until(coordinator.assign(fleet.agent.id, aCamera));
    await clock.until(coordinator.until(() => coordinator.reports.length > 1));
    await fleet.agent.stop();
    coordinator.revoked.add(fleet.agent.id);
    const agent = make();
    await agent.start(never);
    await expect(clock.until(agent.joined())).rejects.toMatchObject({ code: 'device.revoked' });
    await expectEnded({ ...fleet, agent });
    await agent.stop();
    expect(coordinator.goodbyes).toEqual([]);
  });

  it('takes no work on from there, whoever offers it', async () => {
    const fleet = await aBusyFleet();
    const { clock, coordinator, agent, store } = fleet;
    coordinator.revoked.add(agent.id);
    await clock.until(agent.revoked());
    const { assignment, input } = aTask();
    expect(await clock.until(coordinator.offer(agent.id, assignment, [input]))).toMatchObject({ accepted: false });
    await expect(clock.until(coordinator.assign(agent.id, aCamera))).rejects.toMatchObject({ code: 'work.refused' });
    expect(store.cameras.all()).toEqual([]);
  });

  it('is stopped and drained at once: nothing is left to be waited for', async () => {
    const { clock, coordinator, agent } = await aBusyFleet();
    await clock.until(coordinator.assign(agent.id, aCamera));
    await clock.until(coordinator.until(() => coordinator.reports.length > 1));
    coordinator.revoked.add(agent.id);
    await clock.until(agent.revoked());
    const beforeMs = clock.monotonicMs();
    await clock.until(agent.drain(never));
    await clock.until(agent.stop());
    expect(clock.monotonicMs() - beforeMs).toBeLessThan(100);
  });
});
