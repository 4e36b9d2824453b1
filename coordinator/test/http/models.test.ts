import { expect, test } from 'vitest';
import { anApi } from './a-server.ts';

test('the models are listed with their sizes, their accuracy and their licences', async () => {
  const { call } = await anApi();
  const { status, json } = await call('GET', '/v1/models');
  expect(status).toBe(200);
  const lite0 = json.items.find(({ name }: { name: string }) => name === 'efficientdet-lite0');
  expect(lite0).toMatchObject({
    task: 'detect',
    licence: { spdx: 'Apache-2.0' },
    input: { width: 320, height: 320 },
    variants: expect.arrayContaining([
      expect.objectContaining({
        name: 'int8',
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        accuracy: expect.arrayContaining([expect.objectContaining({ metric: 'mAP' })]),
      }),
    ]),
  });
  expect(lite0.labels).toBeGreaterThan(50);
  expect(JSON.stringify(json)).not.toContain('npm:');
});
