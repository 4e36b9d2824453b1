import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUtf8, Buffer as Small } from '../../dashboard/src/proof/node-buffer.ts';
import { hash, createHash as smallHash } from '../../dashboard/src/proof/node-crypto.ts';

/** What the page has of Node is as Node is: proofs are judged alike in a browser and at a terminal. */
describe('what the page has of Node', () => {
  test('hashes as Node does, at every length around the blocks', () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
      expect(hash('sha256', bytes, 'hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
    const large = new Uint8Array(100_003).fill(7);
    const digest = createHash('sha256').update('x').update(large).digest();
    expect(Buffer.from(smallHash('sha256').update(Buffer.from('x')).update(large).digest())).toEqual(digest);
  });

  test.each(['utf8', 'hex', 'base64', 'base64url'] as const)('writes and reads %s as Node does', (encoding) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = Buffer.from(bytes).toString(encoding);
        const small = new Small(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
        expect(small.toString(encoding)).toBe(text);
        expect(Buffer.from(Small.from(text, encoding))).toEqual(Buffer.from(text, encoding));
      }),
    );
  });

  test('reads what is no base 64 as something else than it was, as Node does', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        const again = (bytes: { toString(encoding: 'base64'): string }) => bytes.toString('base64') === text;
        expect(again(Small.from(text, 'base64'))).toBe(again(Buffer.from(text, 'base64')));
      }),
    );
  });

  test('joins, compares and knows text as Node does', () => {
    const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    expect([...Small.concat([a, b])]).toEqual([1, 2, 3]);
    expect([Small.from(a).equals(a), Small.from(a).equals(b)]).toEqual([true, false]);
    expect([isUtf8(Buffer.from('zwölf')), isUtf8(Uint8Array.of(0xff))]).toEqual([true, false]);
  });
});
