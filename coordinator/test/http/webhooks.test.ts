import { describe, expect, test } from 'vitest';
import { createWebhookSender } from '../../src/webhooks/real/index.ts';
import { until } from '../webhooks/a-book.ts';
import { aReceiver } from '../webhooks/a-receiver.ts';
import { aCoordinator } from './a-coordinator.ts';
import { anApi } from './a-server.ts';

const anApiThatSends = () =>
  anApi({}, { coordinator: aCoordinator({ webhookSender: createWebhookSender({ allowPrivateAddresses: true }) }) });

describe('webhooks', () => {
  test('are made, listed without their secrets, tested and removed', async () => {
    const receiver = await aReceiver();
    const { call, coordinator } = await anApiThatSends();
    const { id: camera } = await coordinator.cameras.create({
      ...{ name: 'yard', source: '/a', pipeline: 'watch', targetFps: 5, parameters: {}, loop: false, labels: {} },
    });
    const made = await call('POST', '/v1/webhooks', {
      json: { url: `${receiver.url}/hook?token=word`, types: ['event.ended'], camera, label: 'person', picture: true },
    });
    expect(made.status).toBe(201);
    expect(made.headers['cache-control']).toBe('no-store');
    const { secret, ...shown } = made.json;
    expect(secret).toMatch(/^whsec_/);
    expect(shown).toEqual({
      ...{ id: shown.id, url: `${receiver.url}/…`, types: ['event.ended'], camera, label: 'person', picture: true },
      ...{ state: 'on', createdAt: shown.createdAt, waiting: 0, delivered: 0, failed: 0, dropped: 0 },
    });
    expect((await call('GET', '/v1/webhooks')).json).toEqual({ items: [shown] });

    expect((await call('POST', `/v1/webhooks/${shown.id}/test`)).json).toEqual({
      ...{ delivered: true, status: 204, tookMs: expect.any(Number) },
    });
    receiver.answer(500);
    expect((await call('POST', `/v1/webhooks/${shown.id}/test`)).json).toMatchObject({
      ...{ delivered: false, status: 500, reason: 'it answered 500' },
    });
    expect((await call('DELETE', `/v1/webhooks/${shown.id}`)).status).toBe(204);
    expect((await call('DELETE', `/v1/webhooks/${shown.id}`)).json).toMatchObject({ code: 'not-found' });
    expect((await call('GET', '/v1/webhooks')).json).toEqual({ items: [] });
  });

  test('tell of everything unless they are told of what, and say when they are off', async () => {
    const receiver = await aReceiver();
    const { call, coordinator } = await anApiThatSends();
    await call('POST', '/v1/webhooks', { json: { url: receiver.url } });
    expect((await call('GET', '/v1/webhooks')).json.items).toMatchObject([
      { types: ['event.started', 'event.updated', 'event.ended'], picture: false },
    ]);
    receiver.answer(410);
    coordinator.sees('cam_1', {
      ...{ schema: 1, kind: 'scene', pipeline: 'watch', picture: { width: 640, height: 360 }, motion: 0, looked: true },
      ...{ tracks: [], unseen: [], crossings: [], frame: { camera: 'cam_1', number: 1, capturedAtMs: 1_000 } },
      events: [
        {
          ...{ id: `evt_${'0'.repeat(25)}`, phase: 'start', label: 'dog', track: 1, startedAtMs: 1_000, zones: {} },
          ...{ topScore: 0.8, box: { x: 1, y: 2, width: 3, height: 4 } },
        },
      ],
    });
    await until(() => coordinator.webhooks.list()[0]?.off !== undefined);
    expect((await call('GET', '/v1/webhooks')).json.items).toMatchObject([
      { state: 'off', reason: 'it answered 410', dropped: 1, lastFailure: { reason: 'it answered 410' } },
    ]);
  });

  test('that ask for what there is not, or lead where they may not, are problems', async () => {
    const { call } = await anApi(
      {},
      { coordinator: aCoordinator({ webhookSender: createWebhookSender({ allowPrivateAddresses: false }) }) },
    );
    const codeOf = async (json: object) => (await call('POST', '/v1/webhooks', { json })).json.code;
    expect(await codeOf({ url: 'http://127.0.0.1/' })).toBe('auth.forbidden');
    expect(await codeOf({ url: 'http://169.254.169.254/latest/meta-data' })).toBe('auth.forbidden');
    expect(await codeOf({ url: 'file:///etc/passwd' })).toBe('input.invalid');
    expect(await codeOf({ url: 'http://192.0.2.1/', types: ['event.seen'] })).toBe('input.invalid');
    expect(await codeOf({ url: 'http://192.0.2.1/', types: [] })).toBe('input.invalid');
    expect(await codeOf({ url: 'http://192.0.2.1/', camera: 'cam_9' })).toBe('not-found');
    expect((await call('POST', '/v1/webhooks/whk_1/test')).json.code).toBe('not-found');
  });
});
