import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, type MessageType } from '../../../src/link/coap/message.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('a CoAP message', () => {
  it('is read as it is written, whatever its options', () => {
    const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
    const written = fc.record({
      type: fc.constantFrom<MessageType[]>('CON', 'NON', 'ACK', 'RST'),
      code: fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 31 })),
      messageId: fc.nat(0xffff),
      token: bytes(8),
      options: fc.array(fc.tuple(fc.nat(0xffff), bytes(300)), { maxLength: 12 }),
      payload: bytes(64),
    });
    const isRead = fc.property(written, ({ code: [major, minor], token, options, ...rest }) => {
      const code = `${major}.${String(minor).padStart(2, '0')}`;
      const message = { ...rest, code, token: token.toString('latin1'), options };
      const read = decodeMessage(encodeMessage(message));
      expect(read).toMatchObject({ ...rest, code, token: message.token, options: {} });
      const sorted = options.toSorted(([a], [b]) => a - b);
      expect(read?.options.numbers).toEqual(sorted.map(([number]) => number));
      for (const [number] of sorted)
        expect(read?.options.first(number)).toEqual(sorted.find(([each]) => each === number)?.[1]);
    });
    fc.assert(isRead, { numRuns: 300 });
  });

  it('is written as RFC 7252 shows it', () => {
    // Appendix A, figure 16: a confirmable GET of /temperature, and its answer.
    const request = { type: 'CON', code: '0.01', messageId: 0x7d34 } as const;
    const path = Buffer.from('temperature');
    expect(encodeMessage({ ...request, options: [[11, path]] })).toEqual(Buffer.concat([hex('40 01 7d 34 bb'), path]));
    const answer = { type: 'ACK', code: '2.05', messageId: 0x7d34, payload: Buffer.from('22.3 C') } as const;
    expect(encodeMessage(answer)).toEqual(Buffer.concat([hex('60 45 7d 34 ff'), Buffer.from('22.3 C')]));
  });

  it.each([
    ['shorter than its header', '40 01 7d'],
    ['of another version', '80 01 7d 34'],
    ['with a token of nine bytes', '49 01 7d 34 010203040506070809'],
    ['shorter than its token', '44 01 7d 34 0102'],
    ['empty, with something behind', '40 00 7d 34 ff01'],
    ['empty, with a token', '41 00 7d 34 01'],
    ['with an option that is cut off', '40 01 7d 34 b4 7465'],
    ['with an option whose number is cut off', '40 01 7d 34 e1 01'],
    ['with an option whose length is cut off', '40 01 7d 34 1d'],
    ['with a reserved number of an option', '40 01 7d 34 f1 00'],
    ['with a reserved length of an option', '40 01 7d 34 1f 00'],
    ['with an option above all numbers', '40 01 7d 34 e0 ffff e0 ffff'],
    ['with a payload of no bytes', '40 01 7d 34 ff'],
  ])('%s is none', (_name, datagram) => {
    expect(decodeMessage(hex(datagram))).toBeUndefined();
  });
});
