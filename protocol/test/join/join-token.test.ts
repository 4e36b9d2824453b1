import {
  decodeJoinToken,
  encodeJoinToken,
  isTokenProof,
  type JoinToken,
  proveToken,
  sha256,
  toBase64Url,
  toHex,
  utf8,
} from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aCoordinator, aDevice, anotherDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';

const secret = Uint8Array.from({ length: 16 }, (_, i) => i);
const token: JoinToken = {
  addresses: ['mqtt://192.168.1.10:1883'],
  coordinator: aCoordinator,
  tokenId: 'tok_1',
  secret,
};
const word = encodeJoinToken(token);

/** A word with a right checksum over any content. */
const wordOf = (content: string) =>
  `shoal1_${toBase64Url(Buffer.concat([utf8(content), sha256(utf8(content)).subarray(0, 4)]))}`;

describe('a join token', () => {
  it('is one word that can be selected with a double click', () => {
    expect(word).toMatch(/^shoal1_[\w-]+$/);
  });

  it('tells the device to seal, or says nothing of it', () => {
    expect(decodeJoinToken(encodeJoinToken({ ...token, seal: true })).seal).toBe(true);
    expect(decodeJoinToken(word).seal).toBe(false);
    expect(encodeJoinToken({ ...token, seal: false })).toBe(word);
  });

  it('gives back everything that was put in', () => {
    const anything = fc.record({
      addresses: fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 5 }),
      tokenId: fc.string(),
      secret: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    });
    fc.assert(
      fc.property(anything, (parts) => {
        const decoded = decodeJoinToken(encodeJoinToken({ ...parts, coordinator: aCoordinator }));
        expect(decoded.addresses).toEqual(parts.addresses);
        expect(decoded.tokenId).toBe(parts.tokenId);
        expect([...decoded.secret]).toEqual([...parts.secret]);
        expect(decoded.coordinator.id).toBe(aCoordinator.id);
      }),
      { numRuns: 500 },
    );
  });

  it('may be copied with space around it', () => {
    expect(decodeJoinToken(` \n${word}\r\n`).tokenId).toBe('tok_1');
  });

  it('is refused when it is cut anywhere, at either end', () => {
    for (let at = 1; at < word.length; at++) {
      expect(
        refusalOf(() => decodeJoinToken(word.slice(0, at))),
        `first ${at}`,
      ).toBe('token.invalid');
      expect(
        refusalOf(() => decodeJoinToken(word.slice(at))),
        `without the first ${at}`,
      ).toBe('token.invalid');
    }
  });

  it('is refused with any one character changed', () => {
    for (let at = 0; at < word.length; at++) {
      const other = word[at] === 'A' ? 'B' : 'A';
      expect(
        refusalOf(() => decodeJoinToken(word.slice(0, at) + other + word.slice(at + 1))),
        `at ${at}`,
      ).toBe('token.invalid');
    }
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a number', '7'],
    ['no address', JSON.stringify({ a: [], k: toBase64Url(aCoordinator.publicKey), t: 't', s: toBase64Url(secret) })],
    ['a short key', JSON.stringify({ a: ['x'], k: toBase64Url(new Uint8Array(31)), t: 't', s: toBase64Url(secret) })],
    ['a short secret', JSON.stringify({ a: ['x'], k: toBase64Url(aCoordinator.publicKey), t: 't', s: 'AAAA' })],
    ['no id', JSON.stringify({ a: ['x'], k: toBase64Url(aCoordinator.publicKey), s: toBase64Url(secret) })],
  ])('is refused when its checksum is right and in it is %s', (_what, content) => {
    expect(refusalOf(() => decodeJoinToken(wordOf(content)))).toBe('token.invalid');
  });

  it('is never repeated in an error', () => {
    const cut = word.slice(0, -1);
    expect(() => decodeJoinToken(cut)).toThrow(/^(?!.*[\w-]{30}).*$/);
  });
});

describe('the proof of a token', () => {
  it('is for one device and one secret', () => {
    const proof = proveToken(secret, aDevice.id);
    expect(isTokenProof(proof, secret, aDevice.id)).toBe(true);
    expect(isTokenProof(proof, secret, anotherDevice.id)).toBe(false);
    expect(isTokenProof(proof, secret.toReversed(), aDevice.id)).toBe(false);
    expect(isTokenProof(proof.subarray(1), secret, aDevice.id)).toBe(false);
    expect(isTokenProof(new Uint8Array(), secret, aDevice.id)).toBe(false);
  });

  it('never changes: an HMAC-SHA256 over the name of the protocol and the device id', () => {
    expect(toHex(proveToken(new Uint8Array(16), 'dev_x'))).toBe(
      '616105eef2d9f12cd4b5bed0e29813a720d9506fda51fb92715424fbf47eb39e',
    );
  });
});
