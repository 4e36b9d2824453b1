import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWebhookSender } from '../../src/webhooks/real/index.ts';
import { aCoordinator } from '../http/a-coordinator.ts';
import { type AServer, aServer, key } from '../http/a-server.ts';
import { aReceiver, type Receiver } from '../webhooks/a-receiver.ts';
import { type Outcome, shoal } from './a-shell.ts';

let one: AServer;
let receiver: Receiver;
let run: (...words: string[]) => Promise<Outcome>;

beforeAll(async () => {
  receiver = await aReceiver();
  const webhookSender = createWebhookSender({ allowPrivateAddresses: true });
  one = await aServer({}, { coordinator: aCoordinator({ webhookSender }) });
  await one.server.start(new AbortController().signal);
  const env = { SHOAL_URL: one.server.url, SHOAL_API_KEY: key };
  run = (...words) => shoal(words, { env });
});

afterAll(() => one.server.stop());

describe('webhooks', () => {
  test('are added, listed, tested and removed', async () => {
    expect((await run('webhooks')).out).toMatch(/^No webhooks\. Add one: shoal webhooks add/);
    await run('cameras', 'add', '/a', '--name', 'yard');
    const words = ['--on', 'started,ended', '--camera', 'yard', '--label', 'person', '--zone', 'door', '--picture'];
    const added = await run('webhooks', 'add', `${receiver.url}/hook?token=word`, ...words);
    expect(added.code).toBe(0);
    expect(added.out).toMatch(/^whsec_\S+\n$/);
    const [hook] = one.coordinator.webhooks.list();
    expect(added.err).toContain(`shoal webhooks test ${hook?.id}`);
    expect(hook).toMatchObject({
      ...{ types: ['event.started', 'event.ended'], camera: one.coordinator.cameras.list()[0]?.id },
      ...{ label: 'person', zone: 'door', picture: true },
    });
    const listed = await run('webhooks', 'list');
    expect(listed.out).toMatch(/URL .*TELLS .*DELIVERED/);
    expect(listed.out).toMatch(/\/… +on +started,ended cam_\w+ person door with picture +0 +0 +0/);
    expect(listed.out).not.toContain('word');

    expect(await run('webhooks', 'test', hook?.id ?? '')).toMatchObject({
      ...{ code: 0, out: expect.stringMatching(/^It arrived: the answer was 204, after \d+ ms\.\n$/) },
    });
    receiver.answer(500);
    expect(await run('webhooks', 'test', hook?.id ?? '')).toMatchObject({
      ...{ code: 1, out: 'It did not arrive: it answered 500.\n' },
    });
    expect((await run('webhooks', 'test', hook?.id ?? '', '--json')).json()).toMatchObject({ status: 500 });
    expect((await run('webhooks', 'remove', hook?.id ?? '')).out).toContain('is removed');
    expect((await run('webhooks', 'list', '--json')).json()).toEqual([]);
  });

  test('are told of what there is, or not at all', async () => {
    const { code, err } = await run('webhooks', 'add', receiver.url, '--on', 'seen');
    expect(code).toBe(2);
    expect(err).toContain('started, updated, ended');
    expect((await run('webhooks', 'add', receiver.url, '--camera', 'nowhere')).err).toContain('no camera nowhere');
  });
});
