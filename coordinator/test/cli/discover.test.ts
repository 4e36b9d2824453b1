import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DiscoverOptions, FoundCamera } from '../../src/domain/index.ts';
import { aCoordinator } from '../http/a-coordinator.ts';
import { type AServer, aServer, key } from '../http/a-server.ts';
import { type Outcome, type ShellOptions, shoal } from './a-shell.ts';

const found: readonly FoundCamera[] = [
  {
    ...{ name: "yard'; rm -rf ~ #\u001b[2J", hardware: 'M3116', address: '10.0.0.9', via: 'onvif' },
    sources: ["rtsp://10.0.0.9/it's?a=1&b=2", 'http://10.0.0.9/snapshot.jpg'],
  },
  { name: 'door', address: '10.0.0.10', via: 'mdns', sources: ['rtsp://10.0.0.10/a'], known: 'cam_1' },
  { name: 'pond', address: '10.0.0.11', via: 'coap', sources: ['coap://10.0.0.11/jpg'] },
  { name: 'attic', address: '10.0.0.12', via: 'onvif', sources: [], reason: 'it refused the login' },
];

let one: AServer;
let asked: DiscoverOptions[];
let answer: readonly FoundCamera[];
let run: (words: readonly string[], options?: Partial<ShellOptions>) => Promise<Outcome>;

beforeEach(async () => {
  asked = [];
  answer = found;
  const coordinator = {
    ...aCoordinator(),
    discovery: {
      find: async (options: DiscoverOptions) => {
        asked.push(options);
        return answer;
      },
    },
  };
  one = await aServer({}, { coordinator });
  await one.server.start(new AbortController().signal);
  run = (words, { env, ...options } = {}) =>
    shoal(['cameras', 'discover', ...words], {
      ...options,
      env: { SHOAL_URL: one.server.url, SHOAL_API_KEY: key, ...env },
    });
});
afterEach(() => one.server.stop());

describe('shoal cameras discover', () => {
  test('shows what was found, and a command to copy for each that is new, safe in a shell', async () => {
    const { out, code } = await run([]);
    expect(code).toBe(0);
    expect(out).toMatch(/NAME.*HARDWARE.*ADDRESS.*VIA.*SOURCE.*KNOWN/);
    expect(out).toMatch(/door +- +10\.0\.0\.10 +mdns .*cam_1/);
    const commands = out.slice(out.indexOf('\n\n')).trim().split('\n');
    expect(commands).toEqual([
      `shoal cameras add 'rtsp://10.0.0.9/it'\\''s?a=1&b=2' --name 'yard'\\''; rm -rf ~ #\ufffd[2J'`,
      'shoal cameras add push: --name pond   # Shoal does not fetch by CoAP: let it send',
      '# attic (10.0.0.12): it refused the login',
    ]);
    expect(asked).toEqual([{ seconds: 6 }]);
  });

  test('takes the password from the environment, and shows only where it belongs', async () => {
    const env = { SHOAL_CAMERA_PASSWORD: 'hunter2' };
    const { out, err } = await run(['--login', 'me@home', '--seconds', '2'], { env });
    expect(asked).toEqual([{ seconds: 2, login: { user: 'me@home', password: 'hunter2' } }]);
    expect(out).toContain('rtsp://me%40home:PASSWORD@10.0.0.9/');
    expect(out + err + JSON.stringify(one.log)).not.toContain('hunter2');
  });

  test('asks the person at the terminal for it', async () => {
    const questions: string[] = [];
    const askSecret = async (question: string) => {
      questions.push(question);
      return 'hunter3';
    };
    const { out, err } = await run(['--login', 'viewer'], { askSecret });
    expect(questions).toEqual(['Password of viewer at the cameras: ']);
    expect(asked).toMatchObject([{ login: { password: 'hunter3' } }]);
    expect(out + err).not.toContain('hunter3');
  });

  test('says where the password is to come from when nobody can be asked', async () => {
    const { code, err } = await run(['--login', 'viewer']);
    expect([code, asked]).toEqual([2, []]);
    expect(err).toContain('SHOAL_CAMERA_PASSWORD');
  });

  test('says what to do when nobody answered, and gives everything as JSON', async () => {
    expect((await run(['--json'])).json()).toEqual(found);
    answer = [];
    expect((await run([])).out).toContain('shoal cameras add rtsp://HOST/STREAM');
  });
});

describe('POST /v1/cameras/discover', () => {
  test('refuses what is no search, without repeating a password', async () => {
    for (const json of [
      { seconds: 0 },
      { seconds: 31 },
      { login: { user: 'a' } },
      { login: { user: '', password: 'hunter2' } },
      { login: { user: 'a', password: 'hunter2', more: 1 } },
      { login: { user: 'a', password: `hunter2${'x'.repeat(300)}` } },
    ]) {
      const { status, text } = await one.call('POST', '/v1/cameras/discover', { json });
      expect(status, text).toBe(400);
      expect(text).not.toContain('hunter2');
    }
    expect(asked).toEqual([]);
    expect(JSON.stringify(one.log)).not.toContain('hunter2');
  });

  test('ends with the coordinator', async () => {
    let ended: AbortSignal | undefined;
    const begun = Promise.withResolvers<void>();
    Object.assign(one.coordinator.discovery, {
      find: (_options: DiscoverOptions, signal: AbortSignal) => {
        ended = signal;
        begun.resolve();
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    const answered = one.call('POST', '/v1/cameras/discover', { json: {} });
    await begun.promise;
    await one.server.stop();
    expect((await answered).json).toMatchObject({ code: 'closed' });
    expect(ended?.aborted).toBe(true);
  });
});
