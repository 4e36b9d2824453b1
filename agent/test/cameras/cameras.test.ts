import { decodeResult, sha256Hex, verifyAttestation } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aFleet, never } from '../support/a-fleet.ts';
import { unreadable } from '../support/scripted-videos.ts';

const aCamera = (camera: object = {}) => ({
  cameraId: 'cam_1',
  revision: 1,
  name: 'door',
  source: 'rtsp://admin:hunter2@10.0.0.7/stream',
  pipeline: 'detect',
  model: 'tiny',
  variant: 'int8',
  targetFps: 5,
  ...camera,
});

/** A fleet whose profiler stays out of the way: the one engine is the camera's. */
const aWatchingFleet = async () => {
  const fleet = await aFleet({ config: { profiler: { settleMs: 1e12 } } });
  const assign = (camera: object = {}) => fleet.clock.until(fleet.coordinator.assign(fleet.agent.id, aCamera(camera)));
  const status = () => fleet.agent.status().cameras?.[0];
  const reports = (count: number) =>
    fleet.clock.until(fleet.coordinator.until(() => fleet.coordinator.reports.length >= count));
  return { ...fleet, assign, status, reports };
};

describe('a camera', () => {
  it('reports each analysed frame, numbered, signed for its very pixels', async () => {
    const fleet = await aWatchingFleet();
    await fleet.assign();
    await fleet.reports(3);
    const { reports } = fleet.coordinator;
    expect(reports.slice(0, 3).map(({ number }) => number)).toEqual([1, 2, 3]);
    const [, second] = reports;
    if (!second) throw new Error('no report');
    const analysis = decodeResult(second.result);
    expect(analysis).toMatchObject({
      kind: 'detections',
      pipeline: 'detect',
      picture: { width: 16, height: 16 },
      frame: { camera: 'cam_1', number: 2 },
    });
    const { subject, predicate } = verifyAttestation(second.attestation, second.result, fleet.identity);
    expect(subject[0].digest.sha256).toBe(sha256Hex(new Uint8Array(8 * 8 * 3).fill(1)));
    expect(predicate.work).toEqual({ camera: 'cam_1', report: 2 });
    expect(fleet.videos.opened[0]).toMatchObject({ targetFps: 5, input: { width: 8, height: 8 } });
  });

  it('tells in telemetry how it does', async () => {
    const fleet = await aWatchingFleet();
    await fleet.assign();
    await fleet.clock.advance(20_000);
    const camera = fleet.coordinator.telemetry.at(-1)?.cameras[0];
    expect(camera).toMatchObject({ cameraId: 'cam_1', state: 'running', reason: '', dropped: 0, restarts: 0 });
    // A frame comes 200 ms after the last one was done, which takes 20 ms.
    expect(camera?.fps).toBeCloseTo(1000 / 220, 0);
    expect(camera?.latencyP50Ms).toBe(20);
    expect(camera?.frames).toBeGreaterThan(50);
  });

  it.each([
    ['', { source: 'rtsp://admin:hunter2@10.0.0.7/stream' }, 'full'],
    ['full', { source: 'rtsp://admin:hunter2@10.0.0.7/stream' }, 'full'],
    ['skip', { source: 'rtsp://admin:hunter2@10.0.0.7/stream', leftOut: 'unreferenced' }, 'skip'],
    ['keyframes', { source: 'rtsp://admin:hunter2@10.0.0.7/stream', leftOut: 'all-but-key' }, 'keyframes'],
    ['substream', { source: 'rtsp://10.0.0.7/small' }, 'substream'],
  ])('is decoded as it is told (%j), and says so', async (decode, opened, said) => {
    const fleet = await aWatchingFleet();
    fleet.videos.format = { width: 1_280, height: 720, fps: 25 };
    fleet.videos.cpuMs = 40;
    await fleet.assign({ decode, substream: 'rtsp://10.0.0.7/small' });
    await fleet.reports(20);
    expect(fleet.videos.opened[0]).toEqual(expect.objectContaining(opened));
    expect('leftOut' in (fleet.videos.opened[0] ?? {})).toBe('leftOut' in opened);
    expect(fleet.status()).toMatchObject({ decode: said, sourceWidth: 1_280, sourceHeight: 720, sourceFps: 25 });
    // A frame each 200 ms, after the 20 ms of the one before it.
    expect(fleet.status()?.seenFps).toBeCloseTo(1_000 / 220, 1);
  });

  it('tells what part of a core its decoder takes, from its first frame on', async () => {
    const fleet = await aWatchingFleet();
    fleet.videos.cpuMs = 500;
    await fleet.assign();
    await fleet.reports(1);
    fleet.videos.cpuMs = 600;
    await fleet.clock.advance(1_000);
    expect(fleet.status()?.decodeCores).toBeGreaterThan(0.08);
    expect(fleet.status()?.decodeCores).toBeLessThan(0.1);
  });

  it.each([
    [{ decode: 'by-halves' }, 'cannot be decoded as by-halves'],
    [{ decode: 'substream', substream: '' }, 'has no substream'],
  ])('is refused with %j', async (change, words) => {
    const fleet = await aWatchingFleet();
    await expect(fleet.assign(change)).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringContaining(words),
    });
    expect(fleet.videos.opened).toEqual([]);
  });

  it('goes on after a restart while the coordinator is away, and uses no number twice', async () => {
    const fleet = await aWatchingFleet();
    await fleet.assign();
    await fleet.reports(3);
    await fleet.agent.stop();
    await fleet.coordinator.link.stop();
    const again = fleet.make();
    await again.start(never);
    await fleet.clock.advance(10_000);
    expect(again.status().cameras?.[0]?.state).toBe('running');
    expect(again.status().outbox.waiting).toBeGreaterThan(30);
    await fleet.coordinator.link.start(never);
    await fleet.clock.until(again.joined());
    await fleet.clock.advance(30_000);
    expect(again.status().outbox.waiting).toBeLessThan(3);
    expect(fleet.coordinator.hellos.at(-1)?.runningCameras).toEqual(['cam_1']);
    // What was on its way when the agent ended may come twice, but as the same report.
    const results = new Map<number, string>();
    for (const { number, result } of fleet.coordinator.reports) {
      const text = Buffer.from(result).toString();
      expect(results.get(number) ?? text).toBe(text);
      results.set(number, text);
    }
    const numbers = [...results.keys()];
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  it('changes while it runs: the newest revision wins, an older one is ignored', async () => {
    const fleet = await aWatchingFleet();
    await fleet.assign();
    await fleet.reports(1);
    await fleet.assign({ revision: 3, targetFps: 1 });
    await fleet.assign({ revision: 2, targetFps: 9 });
    await fleet.clock.advance(1000);
    expect(fleet.videos.opened.map(({ targetFps }) => targetFps)).toEqual([5, 1]);
    expect(fleet.videos.open_).toBe(1);
  });

  it('leaves nothing open when it is removed, and does not come back', async () => {
    const fleet = await aWatchingFleet();
    await fleet.assign();
    await fleet.reports(1);
    await fleet.clock.until(fleet.coordinator.removeCamera(fleet.agent.id, 'cam_1'));
    expect(fleet.videos.open_).toBe(0);
    expect(fleet.agent.status().cameras).toEqual([]);
    const count = fleet.coordinator.reports.length;
    await fleet.agent.stop();
    const again = fleet.make();
    await again.start(never);
    await fleet.clock.advance(5_000);
    expect(again.status().cameras).toEqual([]);
    expect(fleet.coordinator.reports).toHaveLength(count);
  });

  it('is begun anew for ever, with a growing pause, when its source fails', async () => {
    const fleet = await aWatchingFleet();
    fleet.videos.scripts = [
      [{ kind: 'frames', count: 2, everyMs: 100 }, unreadable('the camera has ended the stream')],
      ...Array(10).fill([unreadable('nobody listens')]),
      [{ kind: 'frames', count: 1e6, everyMs: 1_000 }],
    ];
    await fleet.assign();
    await fleet.clock.advance(2_000);
    expect(fleet.status()).toMatchObject({ state: 'waiting' });
    await fleet.clock.advance(600_000);
    expect(fleet.status()).toMatchObject({ state: 'running', restarts: 11, reason: '' });
    expect(fleet.videos.open_).toBe(1);
  });

  it('waits long, and says that a person is needed, when the password is wrong', async () => {
    const fleet = await aWatchingFleet();
    fleet.videos.scripts = [[unreadable('rtsp://***@10.0.0.7/stream: the user name or the password is wrong', true)]];
    await fleet.assign();
    await fleet.clock.advance(130_000);
    expect(fleet.status()).toMatchObject({ state: 'failed', reason: expect.stringContaining('password is wrong') });
    expect(fleet.videos.opened).toHaveLength(3);
  });

  it.each([
    ['3 s of one that gave ten a second', { count: 3, everyMs: 100 }, 3],
    ['ten times as long as it ever paused', { count: 6, everyMs: 980 }, 10],
    ['15 s of one that gave none', { count: 0, everyMs: 0 }, 15],
    ['three times as long as one pauses that gives a key frame each ten seconds', { count: 3, everyMs: 9_980 }, 30],
  ])('is begun anew when no picture comes for %s, and its decoder is ended', async (_, frames, seconds) => {
    const fleet = await aWatchingFleet();
    fleet.videos.scripts = [[{ kind: 'frames', ...frames }, { kind: 'silence' }]];
    await fleet.assign();
    const spokenMs = frames.count * (frames.everyMs + 20);
    await fleet.clock.advance(spokenMs + seconds * 1_000 - 300);
    expect(fleet.status()?.state).not.toBe('waiting');
    await fleet.clock.advance(600);
    expect(fleet.status()).toMatchObject({ state: 'waiting', reason: `no picture for ${seconds} s` });
    expect(fleet.videos.open_).toBe(0);
    await fleet.clock.advance(120_000);
    expect(fleet.videos.opened.length).toBeGreaterThan(2);
  });

  it('ends when its file ends, and says so', async () => {
    const fleet = await aWatchingFleet();
    fleet.videos.scripts = [[{ kind: 'frames', count: 4, everyMs: 100 }, { kind: 'end' }]];
    await fleet.assign({ source: '/clips/door.mp4' });
    await fleet.clock.advance(300_000);
    expect(fleet.status()).toMatchObject({ state: 'waiting', reason: 'the video has ended', frames: 4 });
    expect(fleet.videos.opened).toHaveLength(1);
  });

  it('says when its file was cut short', async () => {
    const fleet = await aWatchingFleet();
    fleet.videos.scripts = [
      [
        { kind: 'frames', count: 4, everyMs: 100 },
        { kind: 'end', complaint: 'it stops in the middle' },
      ],
    ];
    await fleet.assign({ source: '/clips/door.mp4' });
    await fleet.clock.advance(10_000);
    expect(fleet.status()).toMatchObject({ state: 'failed', reason: 'it stops in the middle', frames: 4 });
  });

  it('rests while the battery is below its floor', async () => {
    const fleet = await aWatchingFleet();
    await fleet.assign();
    await fleet.reports(1);
    fleet.machine.condition_ = { ...fleet.machine.condition_, batteryPct: 10, charging: false };
    await fleet.clock.advance(30_000);
    expect(fleet.status()).toMatchObject({ state: 'waiting', reason: expect.stringContaining('battery is at 10 %') });
    expect(fleet.videos.open_).toBe(0);
    fleet.machine.condition_ = { ...fleet.machine.condition_, charging: true };
    await fleet.clock.advance(60_000);
    expect(fleet.status()?.state).toBe('running');
  });

  it.each([
    ['input.invalid', { pipeline: 'noop' }],
    ['input.invalid', { targetFps: 1e6 }],
    ['input.invalid', { source: '' }],
    ['input.invalid', { parametersJson: '[]' }],
    ['model.unknown', { model: 'unheard-of' }],
  ])('is refused with %s for %j, and nothing of it is kept', async (code, camera) => {
    const fleet = await aWatchingFleet();
    await expect(fleet.assign(camera)).rejects.toMatchObject({ code });
    expect(fleet.store.cameras.all()).toEqual([]);
    expect(fleet.agent.status().cameras).toEqual([]);
  });

  it('is refused when there are as many as one device takes', async () => {
    const fleet = await aWatchingFleet();
    for (let number = 0; number < 64; number++) await fleet.assign({ cameraId: `cam_${number}` });
    await expect(fleet.assign({ cameraId: 'one too many' })).rejects.toMatchObject({ code: 'work.refused' });
  });

  it('stops with the agent and leaves nothing open', async () => {
    const fleet = await aWatchingFleet();
    await fleet.assign();
    await fleet.reports(1);
    await fleet.clock.until(fleet.agent.drain(never));
    await fleet.agent.stop();
    expect(fleet.videos.open_).toBe(0);
  });
});
