import { BlocksReply, toHex } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestFileBytes, layoutOf } from '../../src/blocks/block-file.ts';
import { decodeReply, headOfPiece } from '../../src/blocks/block-messages.ts';
import { chooseRoot } from '../../src/blocks/choose-root.ts';
import { type Holder, planOrders } from '../../src/blocks/order-plan.ts';
import { PieceSet } from '../../src/blocks/piece-set.ts';
import { refusalOf } from '../support/refusals.ts';

const setOf = (count: number, pieces: readonly number[]) => {
  const set = new PieceSet(count);
  for (const index of pieces) set.add(index);
  return set;
};

describe('the pieces of a file', () => {
  it('cover it, each byte once, and go in a frame, whatever its size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: largestFileBytes }), (sizeBytes) => {
        const { count, pieceBytes, offsetOf, lengthOf } = layoutOf(sizeBytes);
        expect(offsetOf(count - 1) + lengthOf(count - 1)).toBe(sizeBytes);
        expect(lengthOf(count - 1)).toBeGreaterThan(0);
        expect(pieceBytes).toBeLessThanOrEqual(512 * 1024);
        expect(count).toBeLessThanOrEqual(8_192);
        if (count > 1) expect(lengthOf(0)).toBe(pieceBytes);
      }),
    );
  });

  it('are few enough to be told of one by one, and enough that many agents have some to give', () => {
    for (const [mb, pieces] of [
      [4, 64],
      [5, 40],
      [16, 64],
      [17, 34],
      [32, 64],
    ] as const) {
      expect(layoutOf(mb * 2 ** 20).count).toBe(pieces);
    }
  });

  it('are not those of an empty file, or of one that is larger than is exchanged', () => {
    for (const sizeBytes of [0, -1, 1.5, Number.NaN, largestFileBytes + 1]) {
      expect(refusalOf(() => layoutOf(sizeBytes))).toBe('input.invalid');
    }
  });
});

describe('the head of a piece', () => {
  it('and its bytes are the message that the schema says', () => {
    fc.assert(
      fc.property(fc.nat(8_191), fc.uint8Array({ minLength: 1, maxLength: 600 }), (index, bytes) => {
        const message = Buffer.concat([headOfPiece(index, bytes.length), bytes]);
        const { piece } = BlocksReply.decode(message);
        expect([piece?.index, piece && toHex(piece.bytes)]).toEqual([index, toHex(bytes)]);
        expect(headOfPiece(index, 524_288).length).toBeLessThan(16);
      }),
    );
  });

  it('is read in whatever parts it comes, and its bytes are where they came', () => {
    const layout = layoutOf(8_192 * 512 * 1024);
    fc.assert(
      fc.property(fc.nat(8_191), fc.uint8Array({ minLength: 1, maxLength: 600 }), fc.nat(700), (index, bytes, cut) => {
        const message = Buffer.concat([headOfPiece(index, bytes.length), bytes]);
        const reply = decodeReply([message.subarray(0, cut), message.subarray(cut)], layout);
        if (reply.kind !== 'piece') throw new Error(reply.kind);
        expect([reply.index, toHex(Buffer.concat(reply.bytes))]).toEqual([index, toHex(bytes)]);
        expect(reply.bytes.every(({ buffer }) => buffer === message.buffer)).toBe(true);
      }),
    );
  });

  it('may be another that says the same, and is none when its lengths do not fit', () => {
    const layout = layoutOf(1_000_000);
    const bytes = Uint8Array.of(1, 2, 3);
    const foreign = Buffer.concat([Uint8Array.of(0x1a, 7, 0x12, 3), bytes, Uint8Array.of(0x08, 5)]);
    expect(decodeReply([foreign], layout)).toMatchObject({ kind: 'piece', index: 5, bytes: [Buffer.from(bytes)] });
    const cut = Buffer.concat([headOfPiece(5, 4), bytes]);
    expect(refusalOf(() => decodeReply([cut], layout))).toBe('message.malformed');
  });
});

describe('a set of pieces', () => {
  it('is the same behind its bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.array(fc.nat(199)), (count, pieces) => {
        const inside = pieces.filter((index) => index < count);
        const set = setOf(count, pieces);
        expect([...set]).toEqual([...new Set(inside)].toSorted((a, b) => a - b));
        expect(set.size).toBe(new Set(inside).size);
        const read = PieceSet.fromBytes(set.toBytes(), count);
        expect(read?.equals(set)).toBe(true);
        for (const index of inside) set.delete(index);
        expect(set.size).toBe(0);
      }),
    );
  });

  it('is none with pieces that the file does not have, or of another file', () => {
    expect(PieceSet.fromBytes(Uint8Array.of(0b1000), 3)).toBeUndefined();
    expect(PieceSet.fromBytes(Uint8Array.of(1, 0), 3)).toBeUndefined();
    expect(PieceSet.fromBytes(new Uint8Array(), 3)).toBeUndefined();
  });
});

const count = 12;
const pieces = fc.uniqueArray(fc.nat(count - 1)).map((list) => setOf(count, list));
const holders = fc
  .array(
    fc.record({
      has: pieces,
      sparing: fc.boolean(),
      isLate: fc.boolean(),
      ordered: pieces,
      window: fc.integer({ min: 1, max: 6 }),
    }),
    {
      maxLength: 5,
    },
  )
  .map((list): Holder[] => list.map((holder, number) => ({ ...holder, peer: `dev_${number}` })));

describe('what is ordered of whom', () => {
  it('is missing here and held there, and of each piece one order at a time that is not late', () => {
    fc.assert(
      fc.property(pieces, holders, (missing, from) => {
        const plan = planOrders(missing, from, (index) => index);
        const inTime = new Map<number, number>();
        for (const { peer, has, isLate } of from) {
          for (const index of plan.get(peer) ?? []) {
            expect(missing.has(index) && has.has(index)).toBe(true);
            if (!isLate) inTime.set(index, (inTime.get(index) ?? 0) + 1);
          }
        }
        // What was ordered twice before (a late one came back) stays so.
        const before = (index: number) =>
          from.filter(({ ordered, isLate, sparing }) => !isLate && !sparing && ordered.has(index)).length;
        for (const [index, times] of inTime) expect(times).toBeLessThanOrEqual(Math.max(1, before(index)));
      }),
    );
  });

  it('leaves nothing out that a sparing one has alone', () => {
    fc.assert(
      fc.property(pieces, holders, (missing, from) => {
        const plan = planOrders(missing, from, (index) => index);
        for (const index of missing) {
          const able = from.filter(({ has }) => has.has(index));
          if (able.length === 0 || able.some(({ sparing }) => !sparing)) continue;
          expect(from.filter(({ peer }) => plan.get(peer)?.has(index))).toHaveLength(1);
        }
      }),
    );
  });

  it('asks who wants to be spared only for what nobody else has', () => {
    const nothing = new PieceSet(count);
    const base = { isLate: false, ordered: nothing, window: 4 };
    const from: Holder[] = [
      { ...base, peer: 'dev_origin', has: PieceSet.all(count), sparing: true },
      { ...base, peer: 'dev_other', has: setOf(count, [0, 1, 2, 3, 4, 5]), sparing: false },
    ];
    const plan = planOrders(PieceSet.all(count), from, (index) => index);
    expect([...(plan.get('dev_origin') ?? [])]).toEqual([6, 7, 8, 9, 10, 11]);
    expect([...(plan.get('dev_other') ?? [])]).toEqual([0, 1, 2, 3]);
  });

  it('begins with the rarest, and gives what a late one was to send to another as well', () => {
    const nothing = new PieceSet(count);
    const from: Holder[] = [
      { peer: 'dev_a', has: setOf(count, [0, 1, 2]), sparing: false, isLate: false, ordered: nothing, window: 1 },
      { peer: 'dev_b', has: setOf(count, [0, 1]), sparing: false, isLate: true, ordered: setOf(count, [0]), window: 4 },
    ];
    const rarest = planOrders(
      setOf(count, [1, 2]),
      [{ ...from[0], isLate: false } as Holder, { ...from[1], isLate: false, window: 0 } as Holder],
      (i) => i,
    );
    expect([...(rarest.get('dev_a') ?? [])]).toEqual([2]);
    const late = planOrders(setOf(count, [0]), from, (index) => index);
    expect([...(late.get('dev_a') ?? [])]).toEqual([0]);
    expect([...(late.get('dev_b') ?? [])]).toEqual([0]);
  });
});

describe('the list of pieces that is gone by', () => {
  const root = (byte: number) => new Uint8Array(32).fill(byte);
  const says = (byte: number | undefined, whole: boolean) => ({
    root: byte === undefined ? undefined : root(byte),
    pieces: new PieceSet(count),
    whole,
    sparing: false,
  });

  it('is the one that most vouch for who have all of it, however many only have pieces of another', () => {
    expect(chooseRoot([says(1, false), says(1, false), says(1, false), says(2, true)], new Set())).toEqual(
      Buffer.from(root(2)),
    );
    expect(chooseRoot([says(1, true), says(2, true), says(2, true)], new Set())).toEqual(Buffer.from(root(2)));
    expect(chooseRoot([says(undefined, false)], new Set())).toBeUndefined();
  });

  it('is not one that was another file', () => {
    const excluded = new Set(['02'.repeat(32)]);
    expect(chooseRoot([says(2, true), says(2, true), says(1, true)], excluded)).toEqual(Buffer.from(root(1)));
    expect(chooseRoot([says(2, true)], excluded)).toBeUndefined();
  });
});
