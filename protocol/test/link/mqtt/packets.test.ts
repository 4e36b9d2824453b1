import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { seededRandom } from '@shoal/protocol';
import { encodePublishHeader, PacketFramer } from '@shoal/protocol/mqtt';
import { describe, expect, it, vi } from 'vitest';
import { refusalOf } from '../../support/refusals.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function heapAfterCollection(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const limits = { firstBytes: 1 << 21, laterBytes: 1 << 21 };
const publish = (topic: string, payload: Uint8Array) =>
  Buffer.concat([encodePublishHeader(topic, payload.length), payload]);

describe('the head of a PUBLISH', () => {
  it('is that of the standard (MQTT 3.1.1 §3.3)', () => {
    expect(publish('a/b', Uint8Array.of(1, 2)).toString('hex')).toBe('30070003612f620102');
    expect(publish('ü', Uint8Array.of()).toString('hex')).toBe('30040002c3bc');
  });

  /** §2.2.3, table 2.4: the first and the last length of each number of bytes. */
  it.each([
    [127, '7f'],
    [128, '8001'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [2_097_151, 'ffff7f'],
    [2_097_152, '80808001'],
    [268_435_455, 'ffffff7f'],
  ])('announces a length of %i as %s', (length, hex) => {
    const header = encodePublishHeader('t', length - 3);
    expect(header.toString('hex')).toBe(`30${hex}000174`);
  });
});

describe('a packet that comes byte by byte', () => {
  it('is copied a few times in all, not with every piece', () => {
    const packet = publish('a', Buffer.alloc(200_000, 3));
    let copiedBytes = 0;
    const { concat, allocUnsafeSlow } = Buffer;
    const spies = [
      vi.spyOn(Buffer, 'concat').mockImplementation((...call) => {
        const joined = concat(...call);
        copiedBytes += joined.length;
        return joined;
      }),
      vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => {
        copiedBytes += size;
        return allocUnsafeSlow(size);
      }),
    ];
    const framer = new PacketFramer(limits);
    let whole: Buffer = Buffer.alloc(0);
    for (let at = 0; at < packet.length; at++) {
      whole = framer.push(packet.subarray(at, at + 1));
      expect(framer.heldBytes).toBe(at + 1 < packet.length ? at + 1 : 0);
    }
    for (const spy of spies) spy.mockRestore();
    expect(whole.equals(packet)).toBe(true);
    expect(copiedBytes).toBeLessThan(4 * packet.length);
  });
});

describe('the packet framer', () => {
  const packets = [
    publish('a', Buffer.alloc(0)),
    publish('b', Buffer.alloc(300, 1)),
    Buffer.from('d000', 'hex'),
    publish('c', Buffer.alloc(20_000, 2)),
  ];
  const stream = Buffer.concat(packets);
  const ends = packets.map((_packet, i) => Buffer.concat(packets.slice(0, i + 1)).length);

  it('gives whole packets however the stream is cut', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 50; round++) {
      const framer = new PacketFramer(limits);
      const whole: Buffer[] = [];
      const cuts: number[] = [0];
      const most = [1, 7, 100, 5000, 50_000][round % 5] ?? 1;
      for (let at = 0; at < stream.length; ) {
        const next = Math.min(stream.length, at + 1 + Math.floor(random.next() * most));
        const piece = framer.push(stream.subarray(at, next));
        if (piece.length > 0) {
          whole.push(piece);
          cuts.push((cuts.at(-1) ?? 0) + piece.length);
        }
        at = next;
      }
      expect(ends).toEqual(expect.arrayContaining(cuts.slice(1)));
      expect(Buffer.concat(whole).equals(stream)).toBe(true);
      expect(framer.heldBytes).toBe(0);
    }
  });

  it('copies nothing when a piece holds whole packets', () => {
    expect(new PacketFramer(limits).push(stream)).toBe(stream);
  });

  it('refuses a packet by the length that it announces, before it comes', () => {
    const framer = new PacketFramer({ firstBytes: 1000, laterBytes: 1000 });
    expect(refusalOf(() => framer.push(encodePublishHeader('t', 100_000_000)))).toBe('message.too-large');
    expect(framer.heldBytes).toBe(0);
  });

  it('takes a smaller first packet than later ones', () => {
    const framer = new PacketFramer({ firstBytes: 10, laterBytes: 1000 });
    expect(refusalOf(() => framer.push(publish('t', Buffer.alloc(500))))).toBe('message.too-large');
    const other = new PacketFramer({ firstBytes: 10, laterBytes: 1000 });
    other.push(publish('t', Buffer.alloc(1)));
    expect(refusalOf(() => other.push(publish('t', Buffer.alloc(500))))).toBeUndefined();
  });

  it('holds a packet that comes byte by byte in a few pieces, not in one for each byte', () => {
    const framer = new PacketFramer(limits);
    const packet = publish('t', Buffer.alloc(1_000_000));
    const before = heapAfterCollection();
    for (let at = 0; at < 200_000; at++) framer.push(packet.subarray(at, at + 1));
    expect(framer.heldBytes).toBe(200_000);
    // Apart they would be 200,000 Buffers: some 20 MB.
    expect(heapAfterCollection() - before).toBeLessThan(4_000_000);
  });
});
