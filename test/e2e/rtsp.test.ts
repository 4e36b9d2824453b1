import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet } from '../support/fleet.ts';
import { hasRtspServer, RtspServer } from '../support/rtsp-server.ts';

interface Camera {
  readonly id: string;
  readonly source: string;
  readonly reason: string;
  readonly status?: {
    readonly state: string;
    readonly reason: string;
    readonly frames: number;
    readonly restarts: number;
    readonly sourceWidth?: number;
  };
}

const isHere = hasRtspServer();
// biome-ignore lint/suspicious/noConsole: what is skipped is said aloud.
if (!isHere) console.warn('SKIPPED: RTSP tests need gir1.2-gst-rtsp-server-1.0 and python3-gi');

describe.skipIf(!isHere)('cameras that are read over RTSP', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await Fleet.start({ agents: 1 });
  }, 120_000);
  afterAll(() => fleet?.[Symbol.asyncDispose]());

  const add = async (source: string) => {
    // Pictures are looked at, and mostly not given to the model: it is about where they come from.
    const spec = { source, pipeline: 'watch', targetFps: 5 };
    return (await fleet.json<Camera>('POST', '/v1/cameras', spec)).id;
  };
  const until = async (id: string, what: (status: NonNullable<Camera['status']>) => boolean): Promise<Camera> => {
    const deadlineMs = performance.now() + 60_000;
    for (;;) {
      const camera = await fleet.json<Camera>('GET', `/v1/cameras/${id}`);
      if (camera.status && what(camera.status)) return camera;
      if (performance.now() > deadlineMs) throw new Error(`not within a minute: ${JSON.stringify(camera)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const runs = ({ state, frames }: { readonly state: string; readonly frames: number }) =>
    state === 'running' && frames >= 3;
  const remove = (id: string) => fetch(`${fleet.url}/v1/cameras/${id}`, { method: 'DELETE' });

  it.each([
    ['H.264 over TCP, with digest authentication', { protocol: 'tcp', login: ['viewer', 'hunter2!'] }],
    ['H.264 of a camera that has no TCP', { protocol: 'udp' }],
    ['H.265', { codec: 'h265' }],
    ['MJPEG', { codec: 'mjpeg' }],
  ] as const)(
    'are watched: %s',
    async (_, picture) => {
      await using server = await RtspServer.start(picture);
      const id = await add(server.url);
      const camera = await until(id, runs);
      expect(camera.status).toMatchObject({ sourceWidth: 640, reason: '' });
      expect(JSON.stringify(camera)).not.toContain('hunter2');
      await remove(id);
    },
    90_000,
  );

  it('say once that the password is wrong, do not show it, and do not ask again and again', async () => {
    await using server = await RtspServer.start({ login: ['viewer', 'right'] });
    const id = await add(server.url.replace('right', 'wr0ng'));
    const camera = await until(id, ({ state }) => state === 'failed');
    expect(camera.status?.reason).toContain('the user name or the password is wrong');
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect((await until(id, () => true)).status).toMatchObject({ state: 'failed', restarts: 0 });
    expect(`${JSON.stringify(camera)}${fleet.coordinator.output}${fleet.agents[0]?.output}`).not.toContain('wr0ng');
    await remove(id);
  }, 90_000);

  it('are watched again when their server was killed, came back with another picture, and froze', async () => {
    await using server = await RtspServer.start();
    const id = await add(server.url);
    await until(id, runs);
    await server.kill();
    const gone = await until(id, ({ state }) => state === 'waiting');
    expect(gone.status?.reason).toMatch(/nobody listens|ended the stream/);
    await server.restart({ width: 320, height: 240 });
    const frames = gone.status?.frames ?? 0;
    await until(id, (status) => runs(status) && status.sourceWidth === 320 && status.frames > frames + 3);
    server.freeze();
    await until(id, ({ state }) => state === 'waiting');
    server.thaw();
    await until(id, runs);
    await remove(id);
  }, 180_000);
});
