import {
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromHex,
  fromUtf8,
  sha256,
  sha256Hex,
  toBase32,
  toBase64,
  toBase64Url,
  toHex,
  utf8,
} from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const bytes = fc.uint8Array({ maxLength: 100 });

describe('bytes as text', () => {
  it.each([
    ['hex', toHex, fromHex],
    ['base 64', toBase64, fromBase64],
    ['base 64 url', toBase64Url, fromBase64Url],
  ] as const)('come back from %s, and from no other spelling', (_name, write, read) => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.string({ minLength: 1, maxLength: 2 }), (value, at, extra) => {
        const text = write(value);
        expect([...(read(text) ?? [])]).toEqual([...value]);
        const place = at % (text.length + 1);
        const other = text.slice(0, place) + extra + text.slice(place);
        // Another text either means other bytes or means nothing.
        const otherBytes = read(other);
        expect(otherBytes === undefined || write(otherBytes) === other).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['A', '0', 'aG', 'AB', '0g', ' 00', '00\n'])('hex "%s" is none', (text) => {
    expect(fromHex(text)).toBeUndefined();
  });

  it.each(['QQ', 'QR==', 'QQ==\n', 'QQ=', 'Q Q==', '-_==', 'QQ==QQ=='])('base 64 "%s" is none', (text) => {
    expect(fromBase64(text)).toBeUndefined();
  });

  it.each(['QQ==', 'QR', '+/', 'Q'])('base 64 url "%s" is none', (text) => {
    expect(fromBase64Url(text)).toBeUndefined();
  });

  /** RFC 4648 §10, without padding, lower case. */
  it.each([
    ['', ''],
    ['f', 'my'],
    ['fo', 'mzxq'],
    ['foo', 'mzxw6'],
    ['foob', 'mzxw6yq'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytboi'],
  ])('base 32 of "%s" is "%s"', (text, expected) => {
    expect(toBase32(utf8(text))).toBe(expected);
  });

  it('work on a view into a larger buffer', () => {
    const view = Uint8Array.of(9, 1, 2, 9).subarray(1, 3);
    expect(toHex(view)).toBe('0102');
    expect(equalBytes(view, Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(view, Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(view, Uint8Array.of(1))).toBe(false);
    expect(fromUtf8(utf8('ä€').subarray(0, 2))).toBe('ä');
  });
});

describe('SHA-256', () => {
  it('is that of FIPS 180-4', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(toHex(sha256(new Uint8Array()))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});
