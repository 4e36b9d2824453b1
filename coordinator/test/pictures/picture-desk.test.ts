import { createLogger, delay, encodeResult, type PayloadInit, type Reply, ShoalError } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, test } from 'vitest';
import type { CameraView, DeviceView, LivePicture } from '../../src/domain/index.ts';
import { PictureDesk } from '../../src/pictures/index.ts';

const jpeg = Uint8Array.of(0xff, 0xd8, 1);
const device = 'dev_a';
const seen = encodeResult({ schema: 1, kind: 'empty', pipeline: 'noop' });

/** A desk over a device that gives a picture each 200 ms, asked over a link that takes 30 ms there and back. */
function aDesk(picture: object = {}, attachment = jpeg) {
  const clock = new VirtualClock();
  const asked: { unless: number; atMs: number }[] = [];
  let inFlight = 0;
  let most = 0;
  const cameras = new Map<string, Partial<CameraView>>([
    ['door', { id: 'door', device, reason: 'runs there' }],
    ['yard', { id: 'yard', device, reason: 'runs there' }],
    ['nowhere', { id: 'nowhere', reason: 'waits for a device' }],
  ]);
  const request = async (_to: string, payload: PayloadInit, { signal }: { signal?: AbortSignal }): Promise<Reply> => {
    const wish = (payload as { pictureRequest: { cameraId: string; unlessCapturedAtMs: number } }).pictureRequest;
    asked.push({ unless: wish.unlessCapturedAtMs, atMs: clock.monotonicMs() });
    most = Math.max(most, ++inFlight);
    try {
      await delay(clock, 'next picture', 200, signal);
    } finally {
      inFlight -= 1;
    }
    const value = {
      cameraId: wish.cameraId,
      capturedAtMs: 1000 + asked.length,
      ageMs: 25,
      number: asked.length,
      result: seen,
    };
    return { payload: { kind: 'picture', value: { ...value, ...picture } }, attachments: [attachment] };
  };
  const desk = new PictureDesk({
    clock,
    logger: createLogger(() => {}, 'error'),
    messenger: { request: request as never },
    cameras: {
      get(id) {
        const camera = cameras.get(id);
        if (!camera) throw new ShoalError('not-found', 'no such camera');
        return camera as CameraView;
      },
    },
    devices: { get: () => ({ link: { up: ['mqtt'], rttMs: 30 } }) as unknown as DeviceView },
  });
  return { desk, clock, asked, cameras, mostInFlight: () => most };
}

async function take(pictures: AsyncIterable<LivePicture>, count: number): Promise<LivePicture[]> {
  const taken: LivePicture[] = [];
  for await (const picture of pictures) if (taken.push(picture) === count) break;
  return taken;
}

const never = new AbortController().signal;

describe('pictures', () => {
  test('are asked for one at a time, shared by all who watch, and no more once nobody does', async () => {
    const { desk, clock, asked, mostInFlight } = aDesk();
    const both = Promise.all([take(desk.watch(['door'], never), 3), take(desk.watch(['door'], never), 3)]);
    const [one, other] = await clock.until(both);
    expect(one.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(other.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(mostInFlight()).toBe(1);
    expect(desk.watched).toBe(0);
    const before = asked.length;
    await clock.advance(10_000);
    expect(asked.length).toBe(before);
  });

  test('say which one is known already, and how old they are by no clock but the device’s own and the link’s', async () => {
    const { desk, clock, asked } = aDesk();
    const [first, second] = await clock.until(take(desk.watch(['door'], never), 2));
    expect(asked.slice(0, 2).map(({ unless }) => unless)).toEqual([0, first?.capturedAtMs]);
    expect((second?.bornMs ?? 0) - (first?.bornMs ?? 0)).toBe(200);
    expect(first).toMatchObject({ camera: 'door', device, bornMs: 200 - 25 - 15, analysis: { kind: 'empty' } });
  });

  test('of whom is slow are the newest of each camera, and no others', async () => {
    const { desk, clock } = aDesk();
    const pictures = desk.watch(['door', 'yard'], never)[Symbol.asyncIterator]();
    await clock.until(pictures.next());
    await clock.advance(2_000);
    const later = [await clock.until(pictures.next()), await clock.until(pictures.next())];
    expect(new Set(later.map(({ value }) => value.camera))).toEqual(new Set(['door', 'yard']));
    for (const { value } of later) expect(value.bornMs).toBeGreaterThan(clock.monotonicMs() - 450);
    await pictures.return?.(undefined);
  });

  test.each([
    ['no JPEG', {}, Uint8Array.of(0x47, 0x49, 0x46)],
    ['a JPEG that is too large', {}, Uint8Array.from([0xff, 0xd8, ...new Uint8Array(1 << 20)])],
    ['one of no time', { capturedAtMs: 9e15 }, jpeg],
    ['one of no age', { ageMs: Number.NaN }, jpeg],
  ])('that are %s are not believed: the device is asked again a second later', async (_what, picture, bytes) => {
    const { desk, clock, asked } = aDesk(picture, bytes);
    const over = new AbortController();
    const watching = take(desk.watch(['door'], over.signal), 1).catch(() => []);
    await clock.advance(3_000);
    over.abort(new ShoalError('aborted', 'enough'));
    expect(await watching).toEqual([]);
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 1_200, 2_400]);
  });

  test('whose result is none that is known are shown without it', async () => {
    const { desk, clock } = aDesk({ result: new TextEncoder().encode('{"schema":9}') });
    const [picture] = await clock.until(take(desk.watch(['door'], never), 1));
    expect(picture).not.toHaveProperty('analysis');
  });

  test('of a camera without a device are none, for the reason that it has', async () => {
    const { desk, clock, asked } = aDesk();
    const newest = desk.newest('nowhere', never);
    await expect(clock.until(newest)).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('waits for a device'),
    });
    expect(asked).toEqual([]);
    expect(desk.watched).toBe(0);
  });

  test('are refused of cameras that there are not, of too many, and to too many', async () => {
    const { desk, cameras } = aDesk();
    const codeOf = (watch: () => unknown) => {
      try {
        watch();
        return 'none';
      } catch (error) {
        return (error as ShoalError).code;
      }
    };
    expect(codeOf(() => desk.watch(['door', 'gone'], never))).toBe('not-found');
    const many = Array.from({ length: 65 }, (_, i) => `cam-${i}`);
    for (const id of many) cameras.set(id, { id });
    expect(codeOf(() => desk.watch(many, never))).toBe('input.invalid');
    const over = new AbortController();
    const viewers = Array.from({ length: 100 }, () => take(desk.watch(['door'], over.signal), 1_000).catch(() => {}));
    expect(codeOf(() => desk.watch(['door'], never))).toBe('queue.full');
    over.abort(new ShoalError('aborted', 'enough'));
    await Promise.all(viewers);
    expect(codeOf(() => desk.watch(['door'], never))).toBe('none');
  });
});
