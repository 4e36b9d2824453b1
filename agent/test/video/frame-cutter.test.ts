import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameCutter } from '../../src/video/frame-cutter.ts';

const frames = (count: number, sizeBytes: number) =>
  Uint8Array.from({ length: count * sizeBytes }, (_, i) => Math.floor(i / sizeBytes) + 1);

describe('cutting frames', () => {
  it('gives every frame whole, however the stream is cut, when the reader keeps up', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (cuts) => {
        const stream = frames(20, 12);
        const cutter = new FrameCutter(12);
        const seen: number[][] = [];
        let offset = 0;
        for (const length of [...cuts.map((cut) => Math.min(cut, 12)), ...Array(240).fill(7)]) {
          cutter.push(stream.subarray(offset, offset + length));
          offset += length;
          const frame = cutter.take();
          if (frame) seen.push([...frame]);
        }
        expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => Array(12).fill(i + 1)));
        expect(cutter.dropped).toBe(0);
      }),
    );
  });

  it('keeps the newest for a reader that is slow, and counts the others', () => {
    const cutter = new FrameCutter(4);
    expect(cutter.push(frames(5, 4))).toBe(5);
    expect([...(cutter.take() ?? [])]).toEqual([5, 5, 5, 5]);
    expect(cutter.dropped).toBe(4);
    expect(cutter.take()).toBeUndefined();
  });

  it('does not touch the frame that is with the reader', () => {
    const cutter = new FrameCutter(4);
    cutter.push(frames(1, 4));
    const mine = cutter.take();
    cutter.push(frames(9, 4));
    expect([...(mine ?? [])]).toEqual([1, 1, 1, 1]);
    expect(mine?.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});
