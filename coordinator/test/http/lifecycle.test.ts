import { once } from 'node:events';
import { Agent, get, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ApiClient } from '../../src/cli/client/index.ts';
import { type AServer, aServer, key } from './a-server.ts';

const never = new AbortController().signal;
const running: AServer[] = [];

afterEach(async () => {
  for (const { server } of running.splice(0)) await server.stop();
});

async function started(options: Parameters<typeof aServer>[0] = {}): Promise<AServer & { readonly api: ApiClient }> {
  const one = await aServer(options);
  running.push(one);
  await one.server.start(never);
  return { ...one, api: new ApiClient({ url: one.server.url, key }) };
}

const empty = { schema: 1, kind: 'empty', pipeline: 'noop' } as const;

describe('events', () => {
  test('of a task come at once and at every change, and end with its result', async () => {
    const { api, coordinator } = await started();
    const { id } = await api.call<{ id: string }>('POST', '/v1/tasks', { json: { pipeline: 'noop' } });
    const states: unknown[] = [];
    for await (const { event, data } of api.events(`/v1/tasks/${id}/events`, never)) {
      const { state, result } = data as { state: string; result?: { analysis: unknown } };
      states.push([event, state, result?.analysis]);
      if (state === 'queued') coordinator.finish(id, empty);
    }
    expect(states).toEqual([
      ['task', 'queued', undefined],
      ['task', 'succeeded', empty],
    ]);
  });

  test('of a camera are its own, and stop being asked for when the reader goes', async () => {
    const { api, coordinator, server } = await started();
    const door = await api.call<{ id: string }>('POST', '/v1/cameras', { json: { source: '/a' } });
    const yard = await api.call<{ id: string }>('POST', '/v1/cameras', { json: { source: '/b' } });
    const reader = new AbortController();
    const events = api.events(`/v1/cameras/${door.id}/events`, reader.signal);
    const first = events.next();
    // Heard from the moment the answer's head is there, which `next` waits for.
    const poll = setInterval(() => {
      coordinator.sees(yard.id, empty);
      coordinator.sees(door.id, empty);
    }, 5);
    expect((await first).value?.data).toMatchObject({ camera: door.id, analysis: empty });
    clearInterval(poll);
    reader.abort();
    await expect(events.next())
      .resolves.toMatchObject({ done: true })
      .catch(() => {});
    await server.drain?.(never);
  });

  test('of what is not there are a problem, not a stream', async () => {
    const { api } = await started();
    await expect(api.events('/v1/cameras/cam_0/events', never).next()).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('draining', () => {
  test('lets a request in hand finish, ends streams, and closes idle connections', async () => {
    const { api, coordinator, server } = await started();
    const idle = new Agent({ keepAlive: true });
    const response = await new Promise<import('node:http').IncomingMessage>((resolve) =>
      get(`${server.url}/v1/health`, { agent: idle }, resolve),
    );
    const closed = once(response.socket, 'close');
    response.resume();
    const { id } = await api.call<{ id: string }>('POST', '/v1/tasks', { json: { pipeline: 'noop' } });
    const waiting = api.call('GET', `/v1/tasks/${id}`, { query: { wait: 60_000 } });
    const stream = api.events('/v1/results/events', never).next();
    await vi.waitFor(() => expect(server.inHand()).toEqual({ waits: 1, streams: 1 }));
    const drained = server.drain?.(never);
    expect(await stream).toMatchObject({ done: true });
    await closed;
    coordinator.finish(id, empty);
    expect(await waiting).toMatchObject({ state: 'succeeded' });
    await drained;
    await expect(api.call('GET', '/v1/version')).rejects.toMatchObject({ code: 'net.unreachable' });
    idle.destroy();
  });

  test('does not wait for connections that have not carried a request', async () => {
    const { server } = await started();
    const accepted = once(server.app.server, 'connection');
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await accepted;
    const closed = once(socket, 'close');
    await server.drain?.(never);
    await closed;
  });

  test('stopping answers what still waits with how it stands', async () => {
    const { api, server } = await started();
    const waiting = api.call('POST', '/v1/tasks', { json: { pipeline: 'noop' }, query: { wait: 60_000 } });
    await vi.waitFor(() => expect(server.inHand().waits).toBe(1));
    await server.stop();
    expect(await waiting).toMatchObject({ state: 'queued' });
  });
});

describe('a port that is taken', () => {
  async function aTakenPort() {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    return { other, port: typeof address === 'object' && address ? address.port : 0 };
  }

  test('is an error that says so and how to choose another', async () => {
    const { other, port } = await aTakenPort();
    const { server } = await aServer({ port });
    await expect(server.start(never)).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`${port}.*taken.*--http-port`)),
    });
    await server.stop();
    other.close();
  });

  test('is passed over when the next ones may be tried', async () => {
    const { other, port } = await aTakenPort();
    const { server } = await started({ port, portSearch: 20 });
    expect(Number(new URL(server.url).port)).toBeGreaterThan(port);
    other.close();
  });
});

test('what is not HTTP gets a problem and a closed connection', async () => {
  const { server } = await started();
  const call = request(server.url, { method: 'GET', headers: { 'x-long': 'x'.repeat(30_000) } });
  call.end();
  const [response] = (await once(call, 'response')) as [import('node:http').IncomingMessage];
  expect([response.statusCode, response.headers['content-type']]).toEqual([400, 'application/problem+json']);
});
