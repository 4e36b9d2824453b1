import { seededRandom } from '@shoal/protocol';
import { describe, expect, test } from 'vitest';
import { keyCheck, newLocalKey } from '../../src/http/index.ts';
import { anApi, key } from './a-server.ts';

const noKey = { authorization: '' };

describe('a request', () => {
  test('without a key is refused with a challenge, and the problem says how to send one', async () => {
    const { inject } = await anApi();
    const answer = await inject({ url: '/v1/devices' });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(answer.json()).toMatchObject({
      type: 'urn:shoal:error:auth.missing',
      detail: expect.stringContaining('Bearer'),
    });
  });

  test.each(['Basic abc', 'Bearer', 'Bearer wrong', `Bearer ${key}x`, `Bearer ${'k'.repeat(10_000)}`, key])(
    'with the authorization %.20s is refused, and the key is not repeated',
    async (authorization) => {
      const { call, log } = await anApi();
      const answer = await call('GET', '/v1/devices', { headers: { authorization } });
      expect(answer.status).toBe(401);
      expect(answer.text).not.toContain('wrong');
      expect(JSON.stringify(log)).not.toContain(key);
    },
  );

  test('with a key in the URL instead is refused', async () => {
    const { call } = await anApi();
    expect((await call('GET', `/v1/devices?key=${key}`, { headers: noKey })).status).toBe(401);
  });

  test.each(['/v1/version', '/v1/health', '/docs/json', '/docs'])('to %s needs no key', async (url) => {
    const { inject } = await anApi();
    expect((await inject({ url })).statusCode).toBeLessThan(400);
  });

  test('for metrics, or for what is not there, needs one', async () => {
    const { inject } = await anApi();
    for (const url of ['/metrics', '/v1/nothing', '/v1/blobs/x']) {
      expect((await inject({ url })).statusCode).toBe(401);
    }
  });
});

describe('with insecure loopback', () => {
  const insecure = { insecureLoopback: true };
  const from = (remoteAddress: string, headers: Record<string, string> = {}) => ({
    url: '/v1/devices',
    remoteAddress,
    headers,
  });

  test('a program on this machine needs no key', async () => {
    const { inject } = await anApi(insecure);
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
      expect((await inject(from(address))).statusCode).toBe(200);
    }
  });

  test('another machine does, whatever it says about where it is', async () => {
    const { inject } = await anApi(insecure);
    const spoofed = { 'x-forwarded-for': '127.0.0.1', host: 'localhost' };
    expect((await inject(from('192.168.1.7', spoofed))).statusCode).toBe(401);
  });

  test('a page of another site in a browser here is refused, also when its name was bent to loopback', async () => {
    const { inject } = await anApi(insecure);
    const page = from('127.0.0.1', { origin: 'https://evil.example' });
    const rebound = from('127.0.0.1', { host: 'evil.example:8080' });
    expect((await inject(page)).statusCode).toBe(403);
    expect((await inject(rebound)).statusCode).toBe(403);
    expect((await inject(from('127.0.0.1', { origin: 'http://localhost:8080' }))).statusCode).toBe(200);
  });

  test('a wrong key is refused all the same', async () => {
    const { inject } = await anApi(insecure);
    expect((await inject(from('127.0.0.1', { authorization: 'Bearer wrong' }))).statusCode).toBe(401);
  });
});

test('keys are made, used and revoked over the API itself', async () => {
  const { call } = await anApi();
  const made = await call('POST', '/v1/keys', { json: { name: 'home automation' } });
  expect([made.status, made.headers['cache-control']]).toEqual([201, 'no-store']);
  const headers = { authorization: `Bearer ${made.json.key}` };
  const listed = await call('GET', '/v1/keys', { headers });
  expect(listed.json.items).toMatchObject([{ id: made.json.id, name: 'home automation' }]);
  expect(listed.text).not.toContain(made.json.key);
  expect((await call('DELETE', `/v1/keys/${made.json.id}`)).status).toBe(204);
  expect((await call('GET', '/v1/keys', { headers })).status).toBe(401);
});

test('the local key is long, random, and the only other one that is accepted', () => {
  const random = seededRandom(1);
  const [local, other] = [newLocalKey(random), newLocalKey(random)];
  const keys = keyCheck({ verify: () => undefined, list: () => [], mayPush: () => false }, local);
  expect([local, other, '', `${local} `].map((one) => keys.ownerOf(one))).toEqual([
    'local',
    undefined,
    undefined,
    undefined,
  ]);
  expect(local).toMatch(/^shoal_local_[\w-]{43}$/);
});
