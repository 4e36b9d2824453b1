import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findFfmpeg } from '../../src/cli/analyze/index.ts';
import { type AServer, aServer, key } from '../http/a-server.ts';
import { type Outcome, shoal } from './a-shell.ts';

const seen = {
  schema: 1,
  kind: 'detections',
  pipeline: 'detect',
  picture: { width: 200, height: 100 },
  detections: [{ label: 'dog', score: 0.92, box: { x: 50, y: 30, width: 60, height: 40 } }],
} as const;

let folder: string;
let one: AServer;
let run: (...words: string[]) => Promise<Outcome>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-test-'));
  one = await aServer({ uploadLimitBytes: 10_000_000 });
  // A device that knows a picture when it sees one: what sharp cannot read fails.
  const { submit } = one.coordinator.tasks;
  one.coordinator.tasks.submit = async (spec, idempotencyKey) => {
    const task = await submit(spec, idempotencyKey);
    const bytes = await one.coordinator.blobs.read(spec.input?.digest ?? '');
    const readable = await sharp(bytes)
      .metadata()
      .catch(() => undefined);
    one.coordinator.finish(
      task.id,
      readable ? seen : { state: 'failed', reason: 'not a picture', errorCode: 'input.unsupported' },
    );
    return one.coordinator.tasks.get(task.id);
  };
  await one.server.start(new AbortController().signal);
  run = (...words) => shoal(words, { env: { SHOAL_URL: one.server.url, SHOAL_API_KEY: key } });
});

afterEach(async () => {
  await one.server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function aPicture(path: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(join(file, '..'), { recursive: true });
  await sharp({ create: { width: 200, height: 100, channels: 3, background: '#224' } }).toFile(file);
  return file;
}

/** A port that was free a moment ago. */
async function nobodysUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}/a.jpg`;
}

describe('analysing pictures', () => {
  test('prints what was seen, where and why, and saves an annotated picture and a proof that verifies', async () => {
    const picture = await aPicture('rex.png');
    const { code, out } = await run('analyze', picture, '--out', join(folder, 'out'));
    expect(code).toBe(0);
    expect(out).toMatch(/rex\.png +200 x 100 +1 dog/);
    expect(out).toMatch(/dog +0\.92 +50 +30 +60 x 40/);
    expect(out).toMatch(/ran on +pi-5 with efficientdet-lite0 int8/);
    expect(out).toMatch(
      /because it was expected to be done in 12 ms, the only one that could take it; refused: .*battery at 22 %/,
    );
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(['rex.jpg', 'rex.proof.json']);
    const drawn = sharp(join(folder, 'out', 'rex.jpg'));
    const { data, info } = await drawn.raw().toBuffer({ resolveWithObject: true });
    const pixel = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
    // The left edge of the box is drawn, its inside is not.
    expect(Math.max(...pixel(50, 60))).toBeGreaterThan(150);
    expect(Math.max(...pixel(80, 60))).toBeLessThan(100);
    expect((await run('verify', join(folder, 'out', 'rex.proof.json'))).code).toBe(0);
  });

  test('of the same name never overwrite each other', async () => {
    const [a, b] = [await aPicture('a/cat.png'), await aPicture('b/cat.jpg')];
    await run('analyze', a, b, '--out', join(folder, 'out'));
    expect((await readdir(join(folder, 'out'))).sort()).toEqual([
      'cat-2.jpg',
      'cat-2.proof.json',
      'cat.jpg',
      'cat.proof.json',
    ]);
  });

  test('stay as they are when the outputs go into their folder; older outputs are replaced', async () => {
    const picture = await aPicture('cat.jpg');
    const before = await readFile(picture);
    for (const _ of ['once', 'again']) await run('analyze', picture, '--out', folder);
    expect(await readFile(picture)).toEqual(before);
    expect((await readdir(folder)).sort()).toEqual(['cat-2.jpg', 'cat-2.proof.json', 'cat.jpg']);
  });

  test('of a folder and of a pattern are found, in order', async () => {
    for (const name of ['set/b.png', 'set/a.jpg', 'set/c.webp']) await aPicture(name);
    await writeFile(join(folder, 'set', 'notes.txt'), 'no picture');
    const all = (await run('analyze', join(folder, 'set'), '--json')).json();
    expect(all.files.map(({ file }: { file: string }) => basename(file))).toEqual(['a.jpg', 'b.png', 'c.webp']);
    const some = (await run('analyze', join(folder, 'set', '*.png'), '--json')).json();
    expect(some).toMatchObject({ failed: 0, files: [{ ok: true, task: { state: 'succeeded' } }] });
    await expect(readdir(join(folder, 'shoal-out'))).rejects.toThrow();
  });

  test('goes on when some cannot be read, says why for each, and ends with 1', async () => {
    const good = await aPicture('good.png');
    const broken = join(folder, 'broken.jpg');
    await writeFile(broken, 'this is no picture');
    await writeFile(join(folder, 'empty.jpg'), '');
    const { code, out, err } = await run(
      'analyze',
      broken,
      join(folder, 'none.jpg'),
      join(folder, 'empty.jpg'),
      good,
      '--no-out',
    );
    expect(code).toBe(1);
    expect(out).toContain('good.png');
    expect(err).toMatch(/broken\.jpg: not a picture/);
    expect(err).toMatch(/none\.jpg: there is no such file/);
    expect(err).toMatch(/empty\.jpg: it is empty/);
    expect(err).toContain('3 of 4 failed');
  });
});

describe('what cannot be analysed', () => {
  test('is named in words that say what to do', async () => {
    const { code, err } = await run('analyze', 'http://127.0.0.1:1024x/a.jpg', await nobodysUrl(), '--no-out');
    expect(code).toBe(1);
    expect(err).toContain('it is not a URL');
    expect(err).toContain('nobody listens at this address and port');
    const stream = await run('analyze', 'rtsp://10.0.0.9/x', '--no-out');
    expect([stream.code, stream.err]).toEqual([1, expect.stringContaining('shoal cameras add')]);
  });
});

describe('analysing a video', () => {
  test('takes pictures with ffmpeg and sums up what was seen', async (context) => {
    const ffmpeg = await findFfmpeg(process.env['PATH']).catch(() => undefined);
    if (!ffmpeg) return context.skip('no ffmpeg on this machine');
    const video = join(folder, 'street.mp4');
    const source = ['-f', 'lavfi', '-i', 'testsrc=size=200x100:rate=10:duration=3'];
    await promisify(execFile)(ffmpeg, ['-loglevel', 'error', ...source, '-pix_fmt', 'yuv420p', video]);
    const { code, out, err } = await run('analyze', video, '--fps', '2', '--out', join(folder, 'out'));
    expect([code, err.includes('100%')]).toEqual([0, false]);
    expect(out).toMatch(/street\.mp4 +6 pictures/);
    expect(out).toMatch(/dog +6 +1 +0\.92/);
    expect(await readdir(join(folder, 'out', 'street'))).toHaveLength(12);
  });

  test('that is cut off gives what there is, or says what ffmpeg said', async (context) => {
    const ffmpeg = await findFfmpeg(process.env['PATH']).catch(() => undefined);
    if (!ffmpeg) return context.skip('no ffmpeg on this machine');
    const file = join(folder, 'cut.mp4');
    await writeFile(file, Buffer.concat([Buffer.from('\0\0\0\x20ftypisom'), Buffer.alloc(200)]));
    const { code, err } = await run('analyze', file, '--no-out');
    expect(code).toBe(1);
    expect(err).toMatch(/cut\.mp4: ffmpeg cannot read it: \S/);
  });
});

describe('verifying', () => {
  test('accepts a proof and its picture, and finds any flipped bit', async () => {
    const picture = await aPicture('rex.png');
    await run('analyze', picture, '--out', folder);
    const file = join(folder, 'rex.proof.json');
    const good = await run('verify', file);
    expect(good.out).toMatch(/^VALID .*1 dog/s);
    const proof = await readFile(file);
    for (let at = 0; at < proof.length; at += Math.ceil(proof.length / 60)) {
      const bad = Buffer.from(proof);
      bad.writeUInt8(bad.readUInt8(at) ^ 4, at);
      await writeFile(join(folder, 'bad.proof.json'), bad);
      const outcome = await run('verify', join(folder, 'bad.proof.json'));
      expect(outcome.code).toBe(1);
      expect(outcome.out).toMatch(/^NOT VALID/);
    }
    // The test's device signs for another input than this picture.
    const other = await run('verify', file, '--input', picture, '--json');
    expect([other.code, other.json()[0].error.code]).toEqual([1, 'attestation.invalid']);
    expect((await run('verify', join(folder, 'none'))).code).toBe(1);
  });
});
