import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameCutter, withLength } from '../../../src/link/libp2p/frame-cutter.ts';
import { bytesInUse } from '../../support/memory.ts';

const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });

function cut(bytes: Uint8Array, sizes: readonly number[], limit = 300): Uint8Array[] {
  const cutOut: Uint8Array[] = [];
  const cutter = new FrameCutter(
    () => limit,
    (parts) => cutOut.push(Buffer.concat(parts)),
  );
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    cutter.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cutOut;
}

describe('the frames of a stream', () => {
  it('come out as they were put in, however the stream is broken up', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(50)), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map(withLength));
        expect(cut(bytes, sizes).map((frame) => [...frame])).toEqual(sent.map((frame) => [...frame]));
      }),
    );
  });

  it('end with one that announces more than is taken, as soon as it does', () => {
    const [good, bad] = [withLength(new Uint8Array(300)), withLength(new Uint8Array(301)).subarray(0, 4)];
    expect(cut(good, [])).toHaveLength(1);
    expect(() => cut(bad, [])).toThrow(expect.objectContaining({ code: 'message.too-large' }));
  });

  it('hold of one that comes byte by byte what has come, and not an object for each byte nor the buffer it lay in', () => {
    const whole: Uint8Array[] = [];
    const cutter = new FrameCutter(
      () => 1 << 20,
      (parts) => whole.push(Buffer.concat(parts)),
    );
    cutter.push(withLength(new Uint8Array(50_001)).subarray(0, 4));
    const before = bytesInUse();
    for (let i = 0; i < 50_000; i++) cutter.push(new Uint8Array(200).fill(i).subarray(0, 1));
    // Apart they would be 20 MB.
    expect(bytesInUse() - before).toBeLessThan(2_000_000);
    cutter.push(Uint8Array.of(7));
    expect([whole.length, whole[0]?.length, whole[0]?.[300], whole[0]?.at(-1)]).toEqual([1, 50_001, 300 & 0xff, 7]);
  });

  it('leave large parts where they are, and copy those that would keep much else alive', () => {
    const whole: (readonly Uint8Array[])[] = [];
    const cutter = new FrameCutter(
      () => 1 << 20,
      (parts) => whole.push(parts),
    );
    const large = new Uint8Array(60_000).fill(1);
    const smallOfLarge = new Uint8Array(60_000).fill(2).subarray(0, 10_000);
    cutter.push(withLength(new Uint8Array(140_000)).subarray(0, 4));
    for (const part of [large, smallOfLarge, smallOfLarge, large]) cutter.push(part);
    const [parts = []] = whole;
    expect(parts.map(({ length }) => length)).toEqual([60_000, 20_000, 60_000]);
    expect(parts[0]?.buffer).toBe(large.buffer);
    expect(parts[1]?.buffer.byteLength).toBeLessThan(50_000);
  });

  it('break on no bytes at all, random ones least', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.array(fc.nat(50)), (bytes, sizes) => {
        try {
          cut(bytes, sizes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'message.too-large' });
        }
      }),
    );
  });
});
