import { encodeJpeg } from '@shoal/models';
import { ShoalError } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type FramePart, LivePicture } from '../../src/cameras/live-picture.ts';
import type { VideoFrame } from '../../src/video/index.ts';

const input = { width: 8, height: 8 };
const never = new AbortController().signal;
const wish = { cameraId: 'cam_1', unlessCapturedAtMs: 0, waitMs: 5_000 };

/** A picture of 32 x 16 in the middle of a square of 8 x 8. */
function aFrame(clock: VirtualClock, shade = 0): VideoFrame {
  const placement = { sourceWidth: 32, sourceHeight: 16, scaleX: 0.25, scaleY: 0.25, offsetX: 0, offsetY: 2 };
  const pixels = new Uint8Array(8 * 8 * 3).fill(shade);
  return { pixels, placement, capturedAtMs: clock.nowMs(), capturedMonotonicMs: clock.monotonicMs() };
}

function aPicture() {
  const clock = new VirtualClock();
  const encoded: FramePart[] = [];
  const live = new LivePicture(clock, async (part) => {
    encoded.push(part);
    return Uint8Array.of(part.pixels[0] ?? 0);
  });
  return { clock, encoded, live };
}

describe('a live picture', () => {
  it('is neither kept nor encoded while nobody asks for it', async () => {
    const { clock, encoded, live } = aPicture();
    live.offer(aFrame(clock, 1), input);
    expect(encoded).toEqual([]);
    const asked = live.answer({ ...wish, waitMs: 100 }, never);
    asked.catch(() => {});
    await clock.advance(101);
    await expect(asked).rejects.toMatchObject({ code: 'timeout' });
    expect(encoded).toEqual([]);
  });

  it('is the next frame, with the report about it and its age, without the bars around it', async () => {
    const { clock, encoded, live } = aPicture();
    const asked = live.answer(wish, never);
    await clock.advance(200);
    const frame = aFrame(clock, 7);
    live.offer(frame, input, { number: 3, result: Uint8Array.of(1) });
    // The source writes over its pixels.
    frame.pixels.fill(9);
    const { payload, attachments } = await asked;
    expect(payload).toMatchObject({ picture: { cameraId: 'cam_1', number: 3, ageMs: 0 } });
    expect(attachments).toEqual([Uint8Array.of(7)]);
    expect(encoded[0]).toMatchObject({
      region: { left: 0, top: 2, width: 8, height: 4 },
      shown: { width: 8, height: 4 },
    });
  });

  it('that came between two questions is answered at once, and none that was given already', async () => {
    const { clock, live } = aPicture();
    const first = live.answer(wish, never);
    live.offer(aFrame(clock, 1), input);
    const { payload } = await first;
    const unlessCapturedAtMs = (payload as { picture: { capturedAtMs: number } }).picture.capturedAtMs;
    await clock.advance(200);
    live.offer(aFrame(clock, 2), input);
    await clock.advance(30);
    expect(await live.answer({ ...wish, unlessCapturedAtMs }, never)).toMatchObject({
      payload: { picture: { ageMs: 30 } },
      attachments: [Uint8Array.of(2)],
    });
  });

  it('ends its wait with the camera', async () => {
    const { live } = aPicture();
    const stopped = new AbortController();
    const asked = live.answer(wish, stopped.signal);
    stopped.abort(new ShoalError('closed', 'the camera was stopped'));
    await expect(asked).rejects.toMatchObject({ code: 'closed' });
  });

  it('is a JPEG with square pixels, also of a model whose input is not', async () => {
    const { clock } = aPicture();
    const clockFrame = {
      ...aFrame(clock, 200),
      placement: { sourceWidth: 32, sourceHeight: 16, scaleX: 0.25, scaleY: 0.5, offsetX: 0, offsetY: 0 },
    };
    const live = new LivePicture(clock, encodeJpeg);
    const asked = live.answer(wish, never);
    live.offer(clockFrame, input);
    const [jpeg] = (await asked).attachments ?? [];
    expect(await sharp(jpeg).metadata()).toMatchObject({ format: 'jpeg', width: 8, height: 4 });
  });
});
