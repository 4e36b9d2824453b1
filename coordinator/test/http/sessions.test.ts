import { seededRandom } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, test } from 'vitest';
import { aServer, key } from './a-server.ts';

const hourMs = 3_600_000;

async function aBrowser() {
  const clock = new VirtualClock();
  const server = await aServer({}, { clock, random: seededRandom(3) });
  const signIn = (headers: Record<string, string> = { authorization: `Bearer ${key}` }) =>
    server.inject({ method: 'POST', url: '/v1/session', headers });
  const cookieOf = (answer: Awaited<ReturnType<typeof signIn>>) =>
    String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
  const cookie = cookieOf(await signIn());
  const call = (method: 'GET' | 'POST' | 'DELETE', url: string, headers: Record<string, string> = {}) =>
    server
      .inject({ method, url, headers: { cookie, host: 'pi:8080', ...headers } })
      .then(({ statusCode }) => statusCode);
  return { ...server, clock, signIn, cookieOf, cookie, call };
}

describe('a browser', () => {
  test('shows its key once and is let in by a cookie that no script can read', async () => {
    const { signIn, call } = await aBrowser();
    const answer = await signIn();
    expect(answer.statusCode).toBe(204);
    expect(answer.headers['set-cookie']).toMatch(
      /^shoal_session=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=2592000$/,
    );
    expect(String(answer.headers['set-cookie'])).not.toContain(key);
    expect(await call('GET', '/v1/devices')).toBe(200);
  });

  test('is not let in with a wrong key, without one, or by a session instead of a key', async () => {
    const { signIn, cookie } = await aBrowser();
    expect((await signIn({ authorization: 'Bearer wrong' })).statusCode).toBe(401);
    expect((await signIn({})).statusCode).toBe(401);
    expect((await signIn({ cookie, 'sec-fetch-site': 'same-origin' })).statusCode).toBe(400);
  });

  test('is out once it has signed out', async () => {
    const { call } = await aBrowser();
    expect(await call('DELETE', '/v1/session', { 'sec-fetch-site': 'same-origin' })).toBe(204);
    expect(await call('GET', '/v1/devices')).toBe(401);
  });

  test('is out after half a day of silence, or a month in any case', async () => {
    const quiet = await aBrowser();
    await quiet.clock.advance(12 * hourMs + 1);
    expect(await quiet.call('GET', '/v1/devices')).toBe(401);
    const busy = await aBrowser();
    for (let hours = 0; hours < 30 * 24; hours += 12) {
      expect(await busy.call('GET', '/v1/devices')).toBe(200);
      await busy.clock.advance(12 * hourMs);
    }
    expect(await busy.call('GET', '/v1/devices')).toBe(200);
    await busy.clock.advance(1);
    expect(await busy.call('GET', '/v1/devices')).toBe(401);
  });

  test('is out when its key is revoked', async () => {
    const { coordinator, signIn, cookieOf, inject } = await aBrowser();
    const made = await coordinator.apiKeys.create('tablet');
    const cookie = cookieOf(await signIn({ authorization: `Bearer ${made.key}` }));
    const status = async () => (await inject({ url: '/v1/devices', headers: { cookie } })).statusCode;
    expect(await status()).toBe(200);
    await coordinator.apiKeys.revoke(made.id);
    expect(await status()).toBe(401);
  });

  test('that signs in after two hundred others signs the one out that was silent longest', async () => {
    const { signIn, call, cookieOf, inject } = await aBrowser();
    const second = cookieOf(await signIn());
    expect(await call('GET', '/v1/devices')).toBe(200);
    for (let i = 0; i < 199; i++) await signIn();
    expect(await call('GET', '/v1/devices')).toBe(200);
    expect((await inject({ url: '/v1/devices', headers: { cookie: second } })).statusCode).toBe(401);
  });

  test.each([
    [{ 'sec-fetch-site': 'same-origin' }, 201],
    [{ origin: 'http://pi:8080' }, 201],
    [{ 'sec-fetch-site': 'same-site', origin: 'http://pi:3000' }, 403],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
    [{ 'sec-fetch-site': 'none' }, 403],
    [{ origin: 'http://pi:3000' }, 403],
    [{ origin: 'null' }, 403],
    [{}, 403],
  ])('that was sent by %j changes something or is refused: %i', async (headers, status) => {
    const { inject, cookie } = await aBrowser();
    const answer = await inject({
      ...{ method: 'POST', url: '/v1/tokens', payload: {} },
      headers: { cookie, host: 'pi:8080', ...(headers as Record<string, string>) },
    });
    expect(answer.statusCode).toBe(status);
  });

  test('that another site sent reads nothing either', async () => {
    const { call } = await aBrowser();
    expect(await call('GET', '/v1/devices', { 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await call('GET', '/v1/devices', { 'sec-fetch-site': 'same-origin' })).toBe(200);
  });
});

test('a request says by what it was let in', async () => {
  const { inject } = await aServer({ insecureLoopback: true });
  const by = async (headers: Record<string, string>) =>
    (await inject({ url: '/v1/session', remoteAddress: '127.0.0.1', headers })).json();
  expect(await by({ host: 'localhost' })).toEqual({ by: 'loopback' });
  expect((await aServer().then((server) => server.inject({ url: '/v1/session' }))).json()).toEqual({ by: 'nothing' });
  expect(await by({ authorization: `Bearer ${key}` })).toEqual({ by: 'key' });
});
