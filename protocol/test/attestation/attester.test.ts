import {
  Attester,
  type AttestOptions,
  canonicalJson,
  type DsseEnvelope,
  fromUtf8,
  type Identity,
  type Json,
  sha256Hex,
  utf8,
  verifyAttestation,
} from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aDevice, anotherDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';

const output = (number: number) => utf8(`result ${number}`);

function about(number: number): AttestOptions {
  return {
    software: 'test/1',
    pipeline: 'detect',
    parameters: {},
    model: null,
    work: { task: `tsk_${number}`, attempt: `att_${number}` },
    startedAtMs: 1,
    finishedAtMs: 2,
    input: { name: 'input', sha256: sha256Hex('') },
    output: output(number),
    outputMediaType: 'text/plain',
  };
}

/** An identity that counts what it is asked to do. */
function counted(identity: Identity): Identity & { signed: number; verified: number } {
  const counting: Identity & { signed: number; verified: number } = {
    ...identity,
    signed: 0,
    verified: 0,
    sign(bytes) {
      counting.signed += 1;
      return identity.sign(bytes);
    },
    verify(bytes, signature) {
      counting.verified += 1;
      return identity.verify(bytes, signature);
    },
  };
  return counting;
}

const signatureOf = (attestation: Uint8Array) => (JSON.parse(fromUtf8(attestation)) as DsseEnvelope).signatures[0];

function attestAll(attester: Attester, count: number): Promise<Uint8Array[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => attester.attest(about(i))));
}

describe('an attester', () => {
  it('signs one result alone as the DSSE specification says', async () => {
    const attestation = await new Attester(aDevice).attest(about(0));
    expect(Object.keys(signatureOf(attestation))).toEqual(['keyid', 'sig']);
    expect(verifyAttestation(attestation, output(0), aDevice).predicate.work).toEqual(about(0).work);
  });

  it.each([2, 3, 7, 256])('signs %i results of one turn once; each is verified on its own', async (count) => {
    const identity = counted(aDevice);
    const attestations = await attestAll(new Attester(identity), count);
    expect(identity.signed).toBe(1);
    for (const [i, attestation] of attestations.entries()) {
      const { predicate } = verifyAttestation(attestation, output(i), aDevice);
      expect(predicate.work).toEqual(about(i).work);
      expect(signatureOf(attestation).batch).toMatchObject({ index: i, size: count });
    }
  });

  it('signs the results of different turns apart', async () => {
    const identity = counted(aDevice);
    const attester = new Attester(identity);
    await attester.attest(about(0));
    await attester.attest(about(1));
    expect(identity.signed).toBe(2);
  });

  it('is verified once for all that was signed together, whatever comes in between', async () => {
    const key = counted(aDevice);
    const [one, two] = [await attestAll(new Attester(aDevice), 9), await attestAll(new Attester(aDevice), 2)];
    for (const [i, attestation] of one.entries()) verifyAttestation(attestation, output(i), key);
    expect(key.verified).toBe(1);
    verifyAttestation(two[0] as Uint8Array, output(0), key);
    verifyAttestation(one[0] as Uint8Array, output(0), key);
    expect(key.verified).toBe(3);
  });

  it('tells everybody when it cannot sign', async () => {
    const broken: Identity = {
      ...aDevice,
      sign() {
        throw new Error('the key is gone');
      },
    };
    const told = await Promise.allSettled([0, 1].map((i) => new Attester(broken).attest(about(i))));
    expect(told.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('a statement that was signed with others', () => {
  it('is refused with any one bit flipped, also when its batch was seen before', async () => {
    const [, second] = await attestAll(new Attester(aDevice), 3);
    const attestation = second as Uint8Array;
    verifyAttestation(attestation, output(1), aDevice);
    for (let bit = 0; bit < attestation.length * 8; bit++) {
      const flipped = Uint8Array.from(attestation);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(refusalOf(() => verifyAttestation(flipped, output(1), aDevice))).toBe('attestation.invalid');
    }
  });

  type Signature = DsseEnvelope['signatures'][0];
  it.each<[string, (signature: Signature, other: Signature) => unknown]>([
    ["another's place", ({ batch, ...rest }, other) => ({ ...rest, batch: { ...batch, index: other.batch?.index } })],
    ["another's path", ({ batch, ...rest }, other) => ({ ...rest, batch: { ...batch, path: other.batch?.path } })],
    ['a larger batch', ({ batch, ...rest }) => ({ ...rest, batch: { ...batch, size: 4 } })],
    ['a member that nobody signed', ({ batch, ...rest }) => ({ ...rest, batch: { ...batch, note: 'checked' } })],
    ['no place', ({ batch: _, ...rest }) => rest],
    ['a place that is none', (signature) => ({ ...signature, batch: null })],
    ['an index that is no number', ({ batch, ...rest }) => ({ ...rest, batch: { ...batch, index: '1' } })],
    ['a path that is no base 64', ({ batch, ...rest }) => ({ ...rest, batch: { ...batch, path: ['x', 'y'] } })],
    ['a batch of one', ({ sig, keyid }) => ({ sig, keyid, batch: { index: 0, size: 1, path: [] } })],
    ['an endless batch', ({ batch, ...rest }) => ({ ...rest, batch: { ...batch, size: 2 ** 60 } })],
  ])('is refused with %s', async (_, change) => {
    const [attestation, other] = await attestAll(new Attester(aDevice), 3);
    const envelope = JSON.parse(fromUtf8(attestation as Uint8Array)) as DsseEnvelope;
    const signed = (signature: unknown) => utf8(canonicalJson({ ...envelope, signatures: [signature as Json] }));
    const [signature] = envelope.signatures;
    expect(verifyAttestation(signed(signature), output(0), aDevice).predicate.work).toEqual(about(0).work);
    const changed = signed(change(signature, signatureOf(other as Uint8Array)));
    expect(refusalOf(() => verifyAttestation(changed, output(0), aDevice))).toBe('attestation.invalid');
  });

  it("is refused under another device's key", async () => {
    const [attestation] = await attestAll(new Attester(aDevice), 2);
    const claimed = { ...anotherDevice, id: aDevice.id };
    expect(refusalOf(() => verifyAttestation(attestation as Uint8Array, output(0), claimed))).toBe(
      'attestation.invalid',
    );
  });
});
