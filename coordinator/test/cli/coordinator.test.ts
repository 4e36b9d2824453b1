import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJoinToken } from '@shoal/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Outcome, shoal } from './a-shell.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  // What runs is announced there.
  vi.stubEnv('XDG_DATA_HOME', join(folder, 'xdg'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const anyPorts = ['--http-port', '0', '--mqtt-port', '0', '--mqtt-host', '127.0.0.1', '--log-level', 'error'];

/** Runs a real coordinator in this process until it is told to end. */
async function aRunning(...words: string[]) {
  const interrupt = new AbortController();
  let said = '';
  let heard = () => {};
  const ready = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const onOutput = (text: string) => {
    said += text;
    heard();
  };
  const over = shoal(['coordinator', '--data', join(folder, 'data'), ...anyPorts, ...words], {
    interrupted: interrupt.signal,
    onOutput,
  });
  await Promise.race([ready, over]);
  const end = (): Promise<Outcome> => {
    interrupt.abort();
    return over;
  };
  return { said: () => said, over, end };
}

test('a first start shows an API key once, which is good from then on and stands in no file', async () => {
  const first = await aRunning('--json');
  const { url, apiKey, dataDirectory } = JSON.parse(first.said());
  expect(apiKey).toMatch(/^shoal_/);
  expect((await shoal(['devices'], { env: { SHOAL_URL: url, SHOAL_API_KEY: apiKey } })).code).toBe(0);
  expect((await shoal(['devices'], { env: { SHOAL_URL: url } })).code).toBe(4);
  expect((await first.end()).code).toBe(0);
  for (const file of ['coordinator.sqlite', 'coordinator.key']) {
    expect(await readFile(join(dataDirectory, file), 'latin1')).not.toContain(apiKey);
  }
  const second = await aRunning('--json');
  const again = JSON.parse(second.said());
  expect(again).not.toHaveProperty('apiKey');
  expect((await shoal(['devices'], { env: { SHOAL_URL: again.url, SHOAL_API_KEY: apiKey } })).code).toBe(0);
  await second.end();
});

test('commands of the same user find it and need no key; the file that lets them is theirs alone and goes with it', async () => {
  const running = await aRunning();
  const file = join(folder, 'data', 'coordinator.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const token = await shoal(['token', 'create']);
  expect(decodeJoinToken(token.out.trim()).addresses[0]).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/);
  expect((await shoal(['devices', '--data', join(folder, 'data')])).out).toContain('No devices yet');
  await running.end();
  await expect(stat(file)).rejects.toThrow();
  expect((await shoal(['devices'])).code).toBe(3);
});

test('with TLS, join tokens name encrypted addresses only; without, every way in', async () => {
  const addressesWith = async (...words: string[]) => {
    const running = await aRunning(...words);
    const token = await shoal(['token', 'create']);
    await running.end();
    return decodeJoinToken(token.out.trim()).addresses.map((address) => address.replace(/\d+$/, ''));
  };
  const both = await addressesWith('--mqtts-port', '0', '--ws-port', '0', '--wss-port', '0');
  expect(both).toEqual(['mqtts://127.0.0.1:', 'wss://127.0.0.1:']);
  expect(await addressesWith('--ws-port', '0')).toEqual(['mqtt://127.0.0.1:', 'ws://127.0.0.1:']);
});

test('a certificate without its key is refused', async () => {
  const { code, err } = await (await aRunning('--mqtts-port', '0', '--tls-cert', 'x.pem')).over;
  expect([code, err]).toEqual([2, expect.stringContaining('--tls-key')]);
});

test('a second one on the same data is refused, with what to do', async () => {
  const running = await aRunning();
  const { code, err } = await (await aRunning()).over;
  expect(code).toBe(1);
  expect(err).toMatch(/runs already.*--data/);
  await running.end();
});

test('a taken port is an error with the option that chooses another, or is passed over', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = String(typeof address === 'object' ? address?.port : 0);
  for (const option of ['--http-port', '--mqtt-port']) {
    const { code, err } = await (await aRunning(option, port)).over;
    expect(code).toBe(1);
    expect(err).toContain(port);
    expect(err).toContain(option);
  }
  const moved = await aRunning('--http-port', port, '--mqtt-port', port, '--port-search', '--json');
  const { url, mqttUrls } = JSON.parse(moved.said());
  expect([new URL(url).port, mqttUrls[0].split(':').at(-1)]).not.toContain(port);
  expect((await moved.end()).code).toBe(0);
  for (const option of ['--mqtts-port', '--ws-port', '--wss-port']) {
    const { code, err } = await (await aRunning(option, port, '--port-search')).over;
    expect([code, err]).toEqual([1, expect.stringMatching(new RegExp(`port ${port} is taken.*${option} N$`, 'm'))]);
  }
  other.close();
});
