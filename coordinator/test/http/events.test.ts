import type { SceneEvent, SceneResult } from '@shoal/protocol';
import { describe, expect, test, vi } from 'vitest';
import { ApiClient } from '../../src/cli/client/index.ts';
import { anApi, aServer, key } from './a-server.ts';

const never = new AbortController().signal;
// What is told is of a moment ago: a device's clock that is years off is put right.
const startedAtMs = Date.now() - 60_000;
const timeOf = (ms: number) => new Date(startedAtMs + ms).toISOString();
const idOf = (number: number) => `evt_${String(number).padStart(25, '0')}`;

const event = (number: number, phase: SceneEvent['phase'], change: Partial<SceneEvent> = {}): SceneEvent => ({
  ...{ id: idOf(number), phase, label: 'person', track: number, startedAtMs: startedAtMs + number, zones: {} },
  ...{ topScore: 0.8, box: { x: 1, y: 2, width: 3, height: 4 }, ...change },
});

const sceneOf = (camera: string, ...events: SceneEvent[]): SceneResult => ({
  ...{ schema: 1, kind: 'scene', pipeline: 'watch', picture: { width: 640, height: 360 } },
  ...{ motion: 0, looked: true, tracks: [], unseen: [], crossings: [], events },
  frame: { camera, number: 1, capturedAtMs: startedAtMs },
});

describe('events', () => {
  test('are listed, filtered, and shown with the results that prove them', async () => {
    const { call, coordinator } = await anApi();
    const seen = coordinator.sees(
      'cam_1',
      sceneOf(
        'cam_1',
        event(1, 'start'),
        event(2, 'end', { label: 'dog', endedAtMs: startedAtMs + 2_000, zones: { door: 1_500 } }),
      ),
    );
    await vi.waitFor(async () => expect((await call('GET', '/v1/events')).json.items).toHaveLength(2));
    const found = async (query: string) =>
      (await call('GET', `/v1/events?${query}`)).json.items.map(({ track }: { track: number }) => track);
    expect(await found('')).toEqual([2, 1]);
    expect(await found('label=person')).toEqual([1]);
    expect(await found('camera=cam_1&zone=door')).toEqual([2]);
    expect(await found('camera=cam_2')).toEqual([]);
    expect(await found(`after=${timeOf(2)}`)).toEqual([2]);
    expect(await found(`before=${timeOf(2)}&limit=1`)).toEqual([1]);
    expect((await call('GET', `/v1/events/${idOf(2)}`)).json).toEqual({
      ...{ id: idOf(2), camera: 'cam_1', device: coordinator.device.id, label: 'dog', track: 2, state: 'ended' },
      ...{ startedAt: timeOf(2), endedAt: timeOf(2_000), zones: { door: 1_500 } },
      ...{ topScore: 0.8, box: { x: 1, y: 2, width: 3, height: 4 }, picture: { width: 640, height: 360 } },
      ...{ firstResult: seen.id, lastResult: seen.id },
    });
    expect((await call('GET', `/v1/events/${idOf(1)}`)).json).toMatchObject({ state: 'active' });
    expect((await call('GET', `/v1/events/${idOf(1)}`)).json).not.toHaveProperty('endedAt');
  });

  test('that are not there, and times that are none, are problems', async () => {
    const { call } = await anApi();
    expect((await call('GET', '/v1/events/evt_none')).json).toMatchObject({ status: 404, code: 'not-found' });
    expect((await call('GET', '/v1/events?after=yesterday')).json).toMatchObject({
      status: 400,
      code: 'input.invalid',
    });
  });

  test('of the fleet are followed: all of it first, then what changes', async () => {
    const { server, coordinator } = await aServer();
    await server.start(never);
    const api = new ApiClient({ url: server.url, key });
    const reader = new AbortController();
    const heard: { event: string; data: unknown }[] = [];
    for await (const event of api.events('/v1/devices/events', reader.signal)) {
      heard.push(event);
      if (heard.length === 2) break;
    }
    const { id } = coordinator.device;
    expect(heard).toMatchObject([
      {
        event: 'snapshot',
        data: {
          items: [
            {
              id,
              presence: 'online',
              links: [
                { kind: 'mqtt', up: true },
                { kind: 'libp2p', up: false },
              ],
            },
          ],
        },
      },
      { event: 'changed', data: { id, presence: 'suspect' } },
    ]);
    expect(heard[1]?.data).not.toHaveProperty('profiles');
    reader.abort();
    await server.stop();
  });

  test('are followed as they start and end', async () => {
    const { server, coordinator } = await aServer();
    await server.start(never);
    const api = new ApiClient({ url: server.url, key });
    const reader = new AbortController();
    const heard: unknown[] = [];
    const following = (async () => {
      for await (const { event: name, data } of api.events('/v1/events/stream?camera=cam_1', reader.signal)) {
        const { track, state } = data as { track: number; state: string };
        heard.push([name, track, state]);
      }
    })().catch(() => {});
    await vi.waitFor(() => expect(server.inHand().streams).toBe(1));
    coordinator.sees('cam_2', sceneOf('cam_2', event(3, 'start')));
    coordinator.sees('cam_1', sceneOf('cam_1', event(1, 'start')));
    coordinator.sees('cam_1', sceneOf('cam_1', event(1, 'end', { endedAtMs: startedAtMs + 9_000 })));
    await vi.waitFor(() => expect(heard).toHaveLength(2));
    expect(heard).toEqual([
      ['event', 1, 'active'],
      ['event', 1, 'ended'],
    ]);
    reader.abort();
    await following;
    await server.stop();
  });
});
