import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { verifyBundle } from '@shoal/protocol';
import { encode } from 'uqr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cameraTrouble } from '../../src/cli/client/index.ts';
import type { Camera } from '../../src/http/index.ts';
import { type AServer, aServer, key } from '../http/a-server.ts';
import { type Outcome, shoal } from './a-shell.ts';

let one: AServer;
let run: (...words: string[]) => Promise<Outcome>;
const dog = {
  schema: 1,
  kind: 'detections',
  pipeline: 'detect',
  picture: { width: 768, height: 576 },
  detections: [{ label: 'dog', score: 0.92, box: { x: 1, y: 2, width: 30, height: 40 } }],
} as const;

beforeAll(async () => {
  one = await aServer();
  await one.server.start(new AbortController().signal);
  const env = { SHOAL_URL: one.server.url, SHOAL_API_KEY: key };
  run = (...words) => shoal(words, { env });
});

afterAll(() => one.server.stop());

describe('devices', () => {
  test('are listed as a table, and whole as JSON', async () => {
    const { out, code } = await run('devices');
    expect(code).toBe(0);
    expect(out).toMatch(/NAME.*STATE.*MACHINE/);
    expect(out).toMatch(/pi-5 +online .*Raspberry Pi 5.*80 %.*38 ms efficientdet-lite0 int8/);
    expect((await run('devices', 'list', '--json')).json()).toMatchObject([{ name: 'pi-5' }]);
  });

  test('say how fast they detect, not how fast their fastest model is', async () => {
    const { profiles } = one.coordinator.device;
    const [detector] = profiles;
    if (!detector) throw new Error('the device has measured a detector');
    const faster = { ...detector, variant: 'float32', p50Ms: 30 };
    const classifier = { ...detector, model: 'efficientnet-lite0', p50Ms: 2 };
    Object.assign(one.coordinator.device, { profiles: [classifier, detector, faster] });
    expect((await run('devices')).out).toMatch(/DETECTS.*\n.* 30 ms efficientdet-lite0 float32/);
    Object.assign(one.coordinator.device, { profiles: [classifier] });
    expect((await run('devices')).out).not.toContain('efficientnet');
    Object.assign(one.coordinator.device, { profiles });
  });

  test('are shown, renamed, labelled and drained by name', async () => {
    expect((await run('devices', 'show', 'pi-5')).out).toContain('efficientdet-lite0');
    expect((await run('devices', 'show', 'pi-5')).out).toMatch(/inputs +12 ms there and back, 4.1 MB\/s/);

    expect((await run('devices', 'show', 'pi-5')).out).toMatch(
      /links +mqtt in use, 9(\.\d)? ms there and back, 13 % lost; libp2p down\n/,
    );
    expect((await run('devices', 'label', 'pi-5', 'site=', 'room=2')).code).toBe(0);
    expect(one.coordinator.device.labels).toEqual({ room: '2' });
    expect((await run('devices', 'drain', 'pi-5')).out).toContain('draining');
    expect((await run('devices', 'drain', 'pi-5', '--undo')).out).not.toContain('draining');
    const power = ['--floor', '40', '--charging', '07:00-17:00@12', '--charging', '22:30-06:00@7.5'];
    expect((await run('devices', 'power', 'pi-5', ...power)).code).toBe(0);
    expect(one.coordinator.device.power).toEqual({
      floorPct: 40,
      charging: [
        { fromMinute: 420, toMinute: 1_020, watts: 12 },
        { fromMinute: 1_350, toMinute: 360, watts: 7.5 },
      ],
    });
    expect((await run('devices', 'power', 'pi-5', '--charging', 'at noon')).err).toContain('07:00-17:00@12');
    expect((await run('devices', 'rename', 'pi-5', 'barn')).out).toContain('barn');
    expect((await run('devices', 'rename', one.coordinator.device.id.slice(0, 10), 'pi-5')).code).toBe(0);
  });

  test('are not labelled with what is no label, and it is said', async () => {
    const { code, err } = await run('devices', 'label', 'pi-5', 'attic');
    expect([code, err]).toEqual([2, expect.stringContaining('NAME=VALUE, not attic')]);
  });

  test('that are not there are an error that says how to find them', async () => {
    const { code, err, out } = await run('devices', 'show', 'nobody');
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/no device nobody.*shoal devices/);
  });

  test('cannot steer the terminal with their names', async () => {
    await one.coordinator.devices.update(one.coordinator.device.id, { name: 'pi\u001b[2J\u001b]0;x\u0007' });
    const { out } = await run('devices');
    expect(out).toContain('pi');
    expect(out).not.toContain('\u001b');
    expect(out).not.toContain('\u0007');
    await one.coordinator.devices.update(one.coordinator.device.id, { name: 'pi-5' });
  });
});

describe('tasks', () => {
  test('are listed, explained and cancelled', async () => {
    const { id } = await one.coordinator.tasks.submit({
      pipeline: 'noop',
      parameters: {},
      deadlineMs: 1000,
      labels: {},
      maxAttempts: 1,
    });
    expect((await run('explain', id)).out).toContain('not been tried');
    one.coordinator.finish(id, dog);
    expect((await run('tasks')).out).toMatch(new RegExp(`${id} +succeeded +noop`));
    const { out } = await run('explain', id);
    expect(out).toMatch(/Attempt 1 on pi-5: succeeded/);
    expect(out).toMatch(/It was expected to be done in 12 ms, the only one that could take it\./);
    expect(out).toMatch(/energy 0\.060, time 0\.012 +chosen/);
    expect(out).toMatch(/Decided together with other work/);
    expect(out).toMatch(/refused: battery at 22 %, floor 30 %/);
    expect((await run('tasks', 'cancel', id)).out).toContain('is succeeded');
  });
});

describe('cameras', () => {
  test('are added, changed and removed, and their password is never printed', async () => {
    const added = await run(
      'cameras',
      'add',
      'rtsp://u:s3cret@h/s',
      '--name',
      'door',
      '--fps',
      '2',
      '--min-score',
      '0.4',
    );
    expect(added.out).toMatch(/door .*rtsp:\/\/\*\*\*@h\/s/);
    expect((await run('cameras', 'set', 'door', '--fps', '7')).out).toContain('/7');
    const [camera] = one.coordinator.cameras.list();
    expect(camera?.spec).toMatchObject({ source: 'rtsp://u:s3cret@h/s', targetFps: 7, parameters: { minScore: 0.4 } });
    expect((await run('cameras', '--json')).out).not.toContain('s3cret');
    expect((await run('cameras', 'remove', 'door')).code).toBe(0);
    expect(one.coordinator.cameras.list()).toEqual([]);
  });

  test('are given a priority, a time and a substream, which stay when something else is changed', async () => {
    const asked = ['--priority', '8', '--p95', '250', '--substream', 'rtsp://u:s3cret@h/small'];
    expect((await run('cameras', 'add', 'rtsp://u:s3cret@h/s', '--name', 'yard', ...asked)).code).toBe(0);
    await run('cameras', 'set', 'yard', '--fps', '7');
    const spec = one.coordinator.cameras.list().find((camera) => camera.spec.name === 'yard')?.spec;
    expect(spec).toMatchObject({ priority: 8, p95Ms: 250, substream: 'rtsp://u:s3cret@h/small', targetFps: 7 });
    expect((await run('cameras', 'set', 'yard', '--priority', '12')).err).toContain('a whole number from 0 to 9');
    expect((await run('cameras', 'set', 'yard', '--p95', '0')).err).toContain('a number above 0');
    await run('cameras', 'remove', 'yard');
  });

  test('can be bound to a device by its name, and a file that is here is named by its whole path', async () => {
    await run('cameras', 'add', 'package.json', '--name', 'file', '--device', 'pi-5');
    const spec = one.coordinator.cameras.list().find((camera) => camera.spec.name === 'file')?.spec;
    expect(spec).toMatchObject({ source: resolve('package.json'), device: one.coordinator.device.id });
    expect((await run('cameras', 'set', 'file', '--device', 'nobody')).err).toContain('no device nobody');
    expect(await run('cameras', 'set', 'file')).toMatchObject({
      code: 2,
      err: expect.stringContaining('what to change'),
    });
    await run('cameras', 'remove', 'file');
  });

  test('that show nothing say why when they are watched', async () => {
    const camera = {
      name: 'door',
      device: 'dev',
      reason: 'the only device',
      status: { state: 'waiting', reason: 'nobody listens' },
    };
    expect(cameraTrouble(camera as Camera)).toBe('door is waiting: nobody listens');
    expect(cameraTrouble({ ...camera, status: { ...camera.status, state: 'running' } } as Camera)).toBe('');
    const unplaced = { name: 'door', reason: 'no device has joined' } as Camera;
    expect(cameraTrouble(unplaced)).toBe('door waits for a device: no device has joined');
  });

  test('hand out the proof of what they saw: of the newest result, or of one', async () => {
    const { id } = (await run('cameras', 'add', '/clip', '--name', 'gate', '--json')).json();
    expect(await run('cameras', 'proof', 'gate')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no result yet'),
    });
    for (let i = 0; i < 2; i++) one.coordinator.sees(id, dog);
    const folder = await mkdtemp(join(tmpdir(), 'shoal-proof-'));
    const file = join(folder, 'gate.proof.json');
    const saved = (await run('cameras', 'proof', 'gate', '--out', file, '--json')).json();
    expect(saved).toMatchObject({ camera: id, proof: file });
    const workOf = async () => verifyBundle(await readFile(file)).statement.predicate.work;
    expect(await workOf()).toMatchObject({ camera: id, report: 2 });
    const { items } = await one.coordinator.results.ofCamera(id, { limit: 10 });
    await run('cameras', 'proof', 'gate', items.at(-1)?.id ?? '', '--out', file);
    expect(await workOf()).toMatchObject({ camera: id, report: 1 });
    for (const none of ['res_0', '../../status?', 'a#'])
      expect((await run('cameras', 'proof', 'gate', none, '--out', file)).err).toContain(`there is no result ${none}`);
    await rm(folder, { recursive: true });
    await run('cameras', 'remove', 'gate');
  });

  test('are watched until they are interrupted: a line for each change', async () => {
    const camera = await run('cameras', 'add', '/clip', '--name', 'yard', '--json');
    const { id } = camera.json();
    const interrupt = new AbortController();
    const poll = setInterval(() => one.coordinator.sees(id, dog), 5);
    const { code, out } = await shoal(['cameras', 'watch', 'yard'], {
      env: { SHOAL_URL: one.server.url, SHOAL_API_KEY: key },
      interrupted: interrupt.signal,
      onOutput: () => setTimeout(() => interrupt.abort(), 50),
    });
    clearInterval(poll);
    expect(out).toMatch(/^\d\d:\d\d:\d\d {2}yard {2}1 dog\n$/);
    expect(code).toBe(130);
  });
});

test('a device that waits for approval is listed so, with what to do, and approved by name', async () => {
  Object.assign(one.coordinator.device, { pending: true });
  const { out, err } = await run('devices');
  expect(out).toMatch(/pi-5 +pending/);
  expect(err).toContain('1 waiting for approval: shoal devices approve NAME');
  expect((await run('devices', 'approve', 'pi-5')).out).toContain('pi-5 is in');
  expect(await run('devices', 'approve', 'pi-5')).toMatchObject({ code: 1 });
  expect((await run('devices')).err).toBe('');
});

/** What a camera would see: `true` is dark. Two rows of modules are one row of text. */
function modulesOf(text: string): boolean[][] {
  return text
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const letters = [...line];
      return ['\u2580\u2588', '\u2584\u2588'].map((light) => letters.map((letter) => !light.includes(letter)));
    });
}

describe('tokens and keys', () => {
  test('a token is shown as a QR code of exactly its word where a person sees it, and nowhere else', async () => {
    const { out, err } = await run('token', 'create', '--qr');
    const code = modulesOf(
      err
        .split('\n')
        .filter((line) => /[\u2580\u2584\u2588]/.test(line))
        .join('\n'),
    );
    const { data, size } = encode(out.trim(), { ecc: 'L', border: 2 });
    expect(code.slice(0, size)).toEqual(data);
    expect(encode(`${out.trim()}x`, { ecc: 'L', border: 2 }).data).not.toEqual(data);
    expect(out).toMatch(/^shoal1_\S+\n$/);
    expect((await run('token', 'create')).err).not.toMatch(/\u2588/);
    expect((await run('token', 'create', '--qr', '--json')).err).not.toMatch(/\u2588/);
  });

  test('a token that asks for approval says so when it is made and on the list', async () => {
    const { err } = await run('token', 'create', '--approve');
    expect(err).toContain('shoal devices approve NAME');
    expect((await run('token', 'list')).out).toMatch(/APPROVAL\n[\s\S]*asked for/);
  });

  test('print the one word alone, so that it can be piped', async () => {
    const { out, err } = await run('token', 'create', '--uses', '2', '--expires', '15m', '--label', 'site=barn');
    expect(out).toMatch(/^shoal1_\S+\n$/);
    expect(err).toContain('shoal-agent join');
    expect(err).toContain('reach this coordinator at mqtt://192.168.1.20:1883');
    expect((await run('token', 'list')).out).toMatch(/tok_\S+ +2 +\d{4}-\d\d-\d\d \d\d:\d\d +site=barn/);
    expect((await run('key', 'create', 'ha')).out).toMatch(/^shoal_\S+\n$/);
    expect((await run('key', 'list')).out).toContain('ha');
  });
});

describe('the command line', () => {
  test.each([
    [['frobnicate'], 'frobnicate'],
    [['analyze'], 'input'],
    [['tasks', 'list', '--state', 'done'], 'succeeded'],
    [['tasks', 'list', '--limit', 'many'], 'whole number'],
    [['token', 'create', '--expires', 'soon'], '24h'],
    [['analyze', 'x', '--min-score', '2'], '0 to 1'],
    [['coordinator', '--http-port', '99999'], '65535'],
  ])('%s is wrong usage, and says what is right', async (words, says) => {
    const { code, err } = await run(...words);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });

  test.each([
    [['--help']],
    [['analyze', '--help']],
    [['coordinator', '--help']],
    [['verify', '--help']],
    [['cameras', 'add', '--help']],
  ])('%s explains itself on standard output', async (words) => {
    const { code, out, err } = await run(...words);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Usage: shoal');
  });

  test('a wrong key, no key and nobody there end with codes of their own', async () => {
    const wrong = await shoal(['devices'], { env: { SHOAL_URL: one.server.url, SHOAL_API_KEY: 'wrong' } });
    expect([wrong.code, wrong.err]).toEqual([4, expect.stringContaining('not known')]);
    const none = await shoal(['devices'], { env: { SHOAL_URL: one.server.url } });
    expect(none.code).toBe(4);
    const nobody = await shoal(['devices', '--json'], { env: { SHOAL_URL: 'http://127.0.0.1:1' } });
    expect(nobody.code).toBe(3);
    expect(nobody.json().error.code).toBe('net.unreachable');
  });

  test('without a coordinator it says how to start one', async () => {
    const { code, err } = await shoal(['analyze', 'dog.jpg', '--data', '/nowhere']);
    expect(code).toBe(3);
    expect(err).toMatch(/no coordinator runs.*npm start/s);
  });
});
