import { describe, expect, it } from 'vitest';
import type { WebhookRequest } from '../../src/webhooks/sender.ts';
import { never } from '../support/scripted-device.ts';
import { aWorld } from '../support/world.ts';

const spec = { url: 'https://example.org/hook', types: ['event.started'], picture: false } as const;

describe('the webhooks of a coordinator', () => {
  it('are there again after a crash, with their secrets, and stay away once they are removed', async () => {
    const sent: WebhookRequest[] = [];
    const post = async (request: WebhookRequest) => sent.push(request) && 204;
    const world = await aWorld({ webhookSender: { check: async () => {}, post } });
    const { clock } = world;
    const { id, secret } = await clock.until(world.coordinator.webhooks.create(spec));
    await world.restartAfterCrash();
    expect(world.coordinator.webhooks.list()).toMatchObject([{ ...spec, id, url: 'https://example.org/…' }]);
    expect(await clock.until(world.coordinator.webhooks.test(id, never))).toMatchObject({ delivered: true });
    expect(sent).toMatchObject([{ url: spec.url, headers: { 'webhook-id': expect.stringMatching(/^tst_/) } }]);
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    expect([...world.disk.webhooks.values()].map((one) => Buffer.from(one.secret).equals(key))).toEqual([true]);

    await clock.until(world.coordinator.webhooks.remove(id));
    await world.restartAfterCrash();
    expect(world.coordinator.webhooks.list()).toEqual([]);
    await clock.until(world.coordinator.stop());
  });

  it('are none where there is no way out', async () => {
    const { clock, coordinator } = await aWorld();
    await expect(clock.until(coordinator.webhooks.create(spec))).rejects.toMatchObject({ code: 'auth.forbidden' });
    await clock.until(coordinator.stop());
  });
});
