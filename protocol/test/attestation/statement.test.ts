import {
  canonicalJson,
  fromBase64,
  fromUtf8,
  sha256Hex,
  signDsse,
  statementMediaType,
  utf8,
  verifyAttestation,
} from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aBundle } from '../support/bundles.ts';
import { aDevice, anotherDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';

const { output, attestation } = aBundle();
const payload = fromBase64(JSON.parse(fromUtf8(attestation)).payload) ?? new Uint8Array();
const statement = JSON.parse(fromUtf8(payload));

/** Rightly signed by the device, whatever it says. */
const says = (value: unknown) => signDsse(aDevice, statementMediaType, utf8(canonicalJson(value)));
const verify = (bytes: Uint8Array) => refusalOf(() => verifyAttestation(bytes, output, aDevice));
const withPredicate = (change: object) => says({ ...statement, predicate: { ...statement.predicate, ...change } });

describe('an attestation', () => {
  it('names input, model, software, work, times and output', () => {
    expect(verifyAttestation(attestation, output, aDevice)).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'cat.jpg', digest: { sha256: sha256Hex('cat') } }],
      predicateType: 'urn:shoal:attestation:result:v1',
      predicate: {
        device: aDevice.id,
        software: 'shoal-agent/0.1.0',
        pipeline: 'classify',
        parameters: { top: 1 },
        model: { name: 'efficientnet-lite0', version: '1', variant: 'int8', sha256: sha256Hex('model') },
        work: { task: 'tsk_1', attempt: 'att_1' },
        startedAtMs: 1_767_225_600_000,
        finishedAtMs: 1_767_225_600_012,
        output: {
          mediaType: 'application/vnd.shoal.result.v1+json',
          sha256: sha256Hex(output),
          sizeBytes: output.length,
        },
      },
    });
  });

  it('may speak of a pipeline without a model', () => {
    expect(verify(withPredicate({ model: null }))).toBeUndefined();
  });

  it('is refused for any other output', () => {
    expect(refusalOf(() => verifyAttestation(attestation, output.subarray(1), aDevice))).toBe('attestation.invalid');
    expect(refusalOf(() => verifyAttestation(attestation, new Uint8Array(), aDevice))).toBe('attestation.invalid');
  });

  it("is refused as another device's", () => {
    expect(refusalOf(() => verifyAttestation(attestation, output, anotherDevice))).toBe('attestation.invalid');
    expect(verify(withPredicate({ device: anotherDevice.id }))).toBe('attestation.invalid');
  });

  it.each([
    ['is null', null],
    ['is a list', []],
    ['is of another type', { ...statement, _type: 'https://in-toto.io/Statement/v0.1' }],
    ['has another predicate', { ...statement, predicateType: 'https://slsa.dev/provenance/v1' }],
    ['has no subject', { ...statement, subject: [] }],
    ['has two subjects', { ...statement, subject: [...statement.subject, ...statement.subject] }],
    ['has a text for a subject', { ...statement, subject: 'x' }],
    ['has an empty subject', { ...statement, subject: [null] }],
    ['has an input without a digest', { ...statement, subject: [{ name: 'x', digest: {} }] }],
    ['has no predicate', { ...statement, predicate: null }],
  ])('is refused when its statement %s, although it is signed', (_why, value) => {
    expect(verify(says(value))).toBe('attestation.invalid');
  });

  it.each(Object.keys(statement.predicate))(
    'is refused without the %s of its predicate, although it is signed',
    (name) => {
      expect(verify(withPredicate({ [name]: undefined }))).toBe('attestation.invalid');
    },
  );

  it('is refused when its statement is signed but not canonical JSON', () => {
    const loose = signDsse(aDevice, statementMediaType, utf8(JSON.stringify(statement, null, 1)));
    expect(verify(loose)).toBe('attestation.invalid');
  });
});
