import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ErrorCode, silentLogger } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VideoRequest } from '../../src/video/index.ts';
import { createFfmpegSource } from '../../src/video/real/index.ts';

const clip = new URL('../../../../shared/data/clips/bottle-detection.mp4', import.meta.url).pathname;
const longClip = new URL('../../../../shared/data/clips/one-by-one-person-detection.mp4', import.meta.url).pathname;
const here = existsSync(clip);
// biome-ignore lint/suspicious/noConsole: what is skipped is said aloud.
if (!here) console.warn(`SKIPPED: video tests need ${clip}`);

const input = { width: 64, height: 48, fit: 'letterbox-top-left', padValue: 127 } as const;
const aRequest = (request: Partial<VideoRequest>): VideoRequest => ({
  camera: 'cam_1',
  source: clip,
  input,
  targetFps: 5,
  loop: false,
  ...request,
});

/** Children of this process that are ffmpeg. */
const ffmpegChildren = () => {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  return children.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'ffmpeg';
    } catch {
      return false;
    }
  });
};

const pictures = createFfmpegSource({ clock: systemClock, logger: silentLogger });

/** Watches until the source ends or `enough` frames came. */
async function watch(request: VideoRequest, enough = Number.POSITIVE_INFINITY) {
  const stream = pictures.open(request, new AbortController().signal);
  const frames: { at: number; corner: number[]; last: number[]; sourceWidth: number }[] = [];
  for await (const { pixels, placement, capturedMonotonicMs } of stream) {
    frames.push({
      at: capturedMonotonicMs,
      corner: [...pixels.subarray(0, 3)],
      last: [...pixels.subarray(-3)],
      sourceWidth: placement.sourceWidth,
    });
    if (frames.length >= enough) break;
  }
  return { frames, complaint: stream.complaint, dropped: stream.dropped };
}

describe.skipIf(!here)('ffmpeg as a video source', () => {
  let folder: string;
  let short: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-video-'));
    short = join(folder, 'short.mp4');
    const { execFileSync } = await import('node:child_process');
    // Two seconds, its index in front, so that it can be cut in the middle.
    execFileSync('ffmpeg', ['-v', 'error', '-i', clip, '-t', '2', '-c', 'copy', '-movflags', '+faststart', short]);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives frames of the asked size at the asked rate, in real time, and ends with the file', async () => {
    const { frames, complaint } = await watch(aRequest({ source: short }));
    expect(frames.length).toBeGreaterThanOrEqual(9);
    expect(frames.length).toBeLessThanOrEqual(12);
    const spanMs = (frames.at(-1)?.at ?? 0) - (frames[0]?.at ?? 0);
    expect(spanMs).toBeGreaterThan(1_200);
    expect(frames[0]?.sourceWidth).toBe(640);
    // 640x360 into 64x48 is 64x36: the bottom is padded.
    expect(frames[0]?.last).toEqual([127, 127, 127]);
    expect(frames[0]?.corner).not.toEqual([127, 127, 127]);
    expect(complaint).toBeUndefined();
    expect(ffmpegChildren()).toEqual([]);
  });

  it('plays a file again and again when it loops', async () => {
    const { frames } = await watch(aRequest({ source: short, loop: true, targetFps: 10 }), 35);
    // More than one run of two seconds has.
    expect(frames).toHaveLength(35);
    expect(ffmpegChildren()).toEqual([]);
  });

  it('shows what there is of a video that stops in the middle, then says so', async () => {
    const cut = join(folder, 'cut.mp4');
    const whole = readFileSync(short);
    writeFileSync(cut, whole.subarray(0, Math.floor(whole.length * 0.6)));
    const { frames, complaint } = await watch(aRequest({ source: cut }));
    expect(frames.length).toBeGreaterThan(2);
    expect(frames.length).toBeLessThan(10);
    expect(complaint).toContain('stops in the middle');
  });

  it('decodes less when it is told to, and never shows a frame twice to make up for it', async () => {
    // Two seconds of 25 frames: a key frame each second, and of those between them two of three that no other refers to.
    const groups = join(folder, 'groups.mp4');
    const { execFileSync } = await import('node:child_process');
    const coded = [
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '25',
      '-bf',
      '2',
      '-x264-params',
      'scenecut=0:b-pyramid=0:b-adapt=0',
    ];
    execFileSync('ffmpeg', [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=320x240:rate=25:duration=2',
      ...coded,
      groups,
    ]);
    const count = async (request: Partial<VideoRequest>) =>
      (await watch(aRequest({ source: groups, targetFps: 0, ...request }))).frames.length;
    const [full, skip, key, wanted] = await Promise.all([
      count({}),
      count({ leftOut: 'unreferenced' }),
      count({ leftOut: 'all-but-key' }),
      count({ leftOut: 'all-but-key', targetFps: 5 }),
    ]);
    // One that comes before the reader is ready is dropped: so the first may be missing, no more.
    expect(full).toBeGreaterThan(40);
    expect(skip).toBeGreaterThan(14);
    expect(skip).toBeLessThan(21);
    expect([key, wanted]).toEqual([2, 2]);
  });

  it('tells what the source is, and what decoding it has taken so far', async () => {
    const stopped = new AbortController();
    const stream = pictures.open(aRequest({ loop: true, targetFps: 0 }), stopped.signal);
    expect([stream.format, stream.cpuMs]).toEqual([undefined, undefined]);
    const frames = stream[Symbol.asyncIterator]();
    for (let count = 0; count < 5; count++) await frames.next();
    expect(stream.format).toEqual({ width: 640, height: 360, fps: expect.closeTo(30, 0) });
    expect(stream.cpuMs).toBeGreaterThan(0);
    await frames.return?.();
    expect(stream.cpuMs).toBeUndefined();
  });

  const failure = async (source: string): Promise<{ code: ErrorCode; message: string; facts: object }> =>
    watch(aRequest({ source })).then(
      () => {
        throw new Error('it did not fail');
      },
      (error) => error,
    );

  it('says of a file that is not there that it is not there', async () => {
    const error = await failure(join(folder, 'nowhere.mp4'));
    expect(error).toMatchObject({ code: 'source.unreadable', facts: { lasting: true } });
    expect(error.message).toContain('no such file');
  });

  it('says of an mp4 that has not even one picture that it was cut short', async () => {
    const cut = join(folder, 'no-picture.mp4');
    writeFileSync(cut, readFileSync(longClip).subarray(0, 20_000));
    expect((await failure(cut)).message).toContain('cut short');
  });

  it('says of a text that it is not a video', async () => {
    const text = join(folder, 'text.mp4');
    writeFileSync(text, 'this is not a video at all, whatever its name says\n'.repeat(100));
    expect((await failure(text)).message).toContain('not a video');
  });

  it('says of a camera that nobody listens, and never its password', async () => {
    const error = await failure('rtsp://admin:hunter2@127.0.0.1:9/stream');
    expect(error).toMatchObject({ code: 'source.unreadable', facts: { lasting: false } });
    expect(error.message).toContain('nobody listens');
    expect(error.message).not.toContain('hunter2');
  });

  it.each(['concat:/etc/passwd', 'subfile:,,start,0,end,0,,:/etc/passwd', 'pipe:0', 'data:text/plain,x'])(
    'does not open %s',
    async (source) => {
      expect(await failure(source)).toMatchObject({ code: 'input.invalid' });
    },
  );

  it('leaves no child behind when it is stopped in the middle', async () => {
    const stopped = new AbortController();
    const stream = pictures.open(aRequest({ loop: true }), stopped.signal);
    const frames = stream[Symbol.asyncIterator]();
    await frames.next();
    expect(ffmpegChildren()).toHaveLength(1);
    const next = frames.next();
    stopped.abort(new Error('stopped'));
    await expect(next).rejects.toThrow('stopped');
    expect(ffmpegChildren()).toEqual([]);
  });

  it('drops the old frames when the reader is slow, and counts them', async () => {
    const stream = pictures.open(aRequest({ source: short, targetFps: 0 }), new AbortController().signal);
    const frames = stream[Symbol.asyncIterator]();
    await frames.next();
    // Until the whole clip has passed by: its end is what is waited for, not a time.
    while (ffmpegChildren().length > 0) await new Promise((resolve) => setImmediate(resolve));
    await frames.next();
    expect(stream.dropped).toBeGreaterThan(30);
    expect((await frames.next()).done).toBe(true);
  });

  it('knows what it can decode', async () => {
    expect(await pictures.decoders(new AbortController().signal)).toEqual(expect.arrayContaining(['h264', 'mjpeg']));
  });
});
