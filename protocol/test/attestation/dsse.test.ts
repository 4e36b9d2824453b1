import {
  canonicalJson,
  fromUtf8,
  openDsse,
  preAuthenticationEncoding,
  signDsse,
  toBase64,
  utf8,
} from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aDevice, anotherDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';

const type = 'http://example.com/HelloWorld';
const payload = utf8('hello world');
const signed = () => JSON.parse(fromUtf8(signDsse(aDevice, type, payload)));

describe('a DSSE envelope', () => {
  it('signs what the specification says (secure-systems-lab/dsse, protocol.md, test vectors)', () => {
    const encoded = fromUtf8(preAuthenticationEncoding(type, payload));
    expect(encoded).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('counts bytes, not letters', () => {
    expect(fromUtf8(preAuthenticationEncoding('ü', utf8('€')))).toBe('DSSEv1 2 ü 3 €');
  });

  it('has the three members of the specification, in canonical JSON', () => {
    const bytes = signDsse(aDevice, type, payload);
    expect(Object.keys(signed())).toEqual(['payload', 'payloadType', 'signatures']);
    expect(signed()).toMatchObject({
      payload: 'aGVsbG8gd29ybGQ=',
      payloadType: type,
      signatures: [{ keyid: aDevice.id }],
    });
    expect(fromUtf8(bytes)).toBe(canonicalJson(signed()));
  });

  it('gives the payload back to who has the key', () => {
    expect(fromUtf8(openDsse(signed(), type, aDevice))).toBe('hello world');
  });

  const signature = signed().signatures[0];
  it.each([
    ['nothing', null],
    ['a text', 'hello'],
    ['another payload', { ...signed(), payload: toBase64(utf8('hello worlt')) }],
    ['another type', { ...signed(), payloadType: 'http://example.com/Other' }],
    ['no signature', { ...signed(), signatures: [] }],
    ['two signatures', { ...signed(), signatures: [signature, signature] }],
    ['no list of signatures', { ...signed(), signatures: signature }],
    ['a signature that is none', { ...signed(), signatures: [{ ...signature, sig: 'AAAA' }] }],
    ['a signature that is no base 64', { ...signed(), signatures: [{ ...signature, sig: `${signature.sig} ` }] }],
    ["another key's id", { ...signed(), signatures: [{ ...signature, keyid: anotherDevice.id }] }],
    ['a member that nobody signed', { ...signed(), note: 'checked' }],
    ['one beside the signature', { ...signed(), signatures: [{ ...signature, note: 'checked' }] }],
    ['a payload that is no text', { ...signed(), payload: 7 }],
    ['a payload in loose base 64', { ...signed(), payload: 'aGVsbG8gd29ybGQ' }],
  ])('is refused with %s', (_what, envelope) => {
    expect(refusalOf(() => openDsse(envelope, type, aDevice))).toBe('attestation.invalid');
  });

  it('is refused under another key', () => {
    expect(refusalOf(() => openDsse(signed(), type, anotherDevice))).toBe('attestation.invalid');
    const claimed = { ...anotherDevice, id: aDevice.id };
    expect(refusalOf(() => openDsse(signed(), type, claimed))).toBe('attestation.invalid');
  });
});
