import { canonicalJson, fromUtf8, toBase64, utf8, verifyBundle, writeBundle } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aBundle } from '../support/bundles.ts';
import { aDevice, anotherDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';

const { file, output, attestation } = aBundle();

describe('a bundle', () => {
  it('gives the statement, the result and who said so, with nothing else at hand', () => {
    const verified = verifyBundle(file);
    expect(Buffer.from(verified.result).equals(output)).toBe(true);
    expect(verified.device.id).toBe(aDevice.id);
    expect(verified.statement).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'cat.jpg' }],
      predicate: { device: aDevice.id, pipeline: 'classify', work: { task: 'tsk_1' }, model: { variant: 'int8' } },
    });
  });

  it('is refused with any one bit flipped', () => {
    expect(refusalOf(() => verifyBundle(file))).toBeUndefined();
    for (let bit = 0; bit < file.length * 8; bit++) {
      const flipped = Uint8Array.from(file);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(
        refusalOf(() => verifyBundle(flipped)),
        `bit ${bit}`,
      ).toBe('attestation.invalid');
    }
  });

  it('is refused with any one byte left out or doubled', () => {
    for (let at = 0; at < file.length; at++) {
      const without = Buffer.concat([file.subarray(0, at), file.subarray(at + 1)]);
      const doubled = Buffer.concat([file.subarray(0, at + 1), file.subarray(at)]);
      expect(
        refusalOf(() => verifyBundle(without)),
        `without byte ${at}`,
      ).toBe('attestation.invalid');
      expect(
        refusalOf(() => verifyBundle(doubled)),
        `byte ${at} twice`,
      ).toBe('attestation.invalid');
    }
  });

  it('is refused when it is written another way, says more, or says it twice', () => {
    const parsed = JSON.parse(fromUtf8(file));
    const variants = [
      JSON.stringify(parsed, null, 2),
      canonicalJson(parsed),
      `${canonicalJson(parsed)}\n\n`,
      `\ufeff${fromUtf8(file)}`,
      `${canonicalJson({ ...parsed, note: 'checked' })}\n`,
      fromUtf8(file).replace('{', '{"mediaType":"x",'),
      `[${canonicalJson(parsed)}]\n`,
      'null\n',
      `${JSON.stringify({ ...parsed, publicKey: '\ud800' })}\n`,
    ];
    for (const variant of variants)
      expect(
        refusalOf(() => verifyBundle(utf8(variant))),
        variant,
      ).toBe('attestation.invalid');
  });

  it.each([
    ['the result of another run', { result: utf8('{}') }],
    ["another device's key", { publicKey: anotherDevice.publicKey }],
    ['no key', { publicKey: new Uint8Array() }],
    ['half an attestation', { attestation: attestation.subarray(0, attestation.length >> 1) }],
  ])('is refused with %s', (_what, change) => {
    const parts = { result: output, attestation, publicKey: aDevice.publicKey };
    expect(refusalOf(() => verifyBundle(writeBundle(parts)))).toBeUndefined();
    expect(refusalOf(() => verifyBundle(writeBundle({ ...parts, ...change })))).toBe('attestation.invalid');
  });

  it('is refused, not run out of stack on, when it is nested without end', () => {
    const deep = utf8(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    expect(refusalOf(() => verifyBundle(deep))).toBe('attestation.invalid');
    const parts = { result: output, attestation: deep, publicKey: aDevice.publicKey };
    expect(refusalOf(() => verifyBundle(writeBundle(parts)))).toBe('attestation.invalid');
  });

  it('is the same bytes for the same parts', () => {
    expect(toBase64(writeBundle({ result: output, attestation, publicKey: aDevice.publicKey }))).toBe(toBase64(file));
  });
});
