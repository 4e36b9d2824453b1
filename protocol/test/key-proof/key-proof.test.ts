import { fromBase64Url, makeKeyProof, readKeyProof, toBase64Url } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aDevice, anotherDevice } from '../support/identities.ts';

describe('a proof of key possession', () => {
  const context = 'shoal-coap-v1';
  const proof = makeKeyProof(context, aDevice, 1_767_225_600_000);

  it('says who made it and when', () => {
    expect(readKeyProof(context, aDevice.id, proof)).toEqual({ peer: aDevice.id, madeAtMs: 1_767_225_600_000 });
  });

  it('is worth nothing on another kind of link', () => {
    expect(readKeyProof('shoal-mqtt-v1', aDevice.id, proof)).toBeUndefined();
  });

  it('proves nothing for another id', () => {
    expect(readKeyProof(context, anotherDevice.id, proof)).toBeUndefined();
    // The same key in another role is another peer.
    expect(readKeyProof(context, aDevice.id.replace('dev_', 'crd_'), proof)).toBeUndefined();
  });

  it('proves nothing with any bit of it changed', () => {
    const [time = '', key = '', signature = ''] = proof.split('.');
    const flips = (text: string, bit: number) => {
      const bytes = Uint8Array.from(fromBase64Url(text) ?? []);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return toBase64Url(bytes);
    };
    for (let bit = 0; bit < 256; bit++)
      expect(readKeyProof(context, aDevice.id, `${time}.${flips(key, bit)}.${signature}`)).toBeUndefined();
    for (let bit = 0; bit < 512; bit++)
      expect(readKeyProof(context, aDevice.id, `${time}.${key}.${flips(signature, bit)}`)).toBeUndefined();
    for (const other of ['1767225600001', '0', '-1', '1e3', '01767225600000', '']) {
      expect(readKeyProof(context, aDevice.id, `${other}.${key}.${signature}`)).toBeUndefined();
    }
    for (const other of [`${proof}.`, `${proof}.x`, ` ${proof}`, `${time}.${key}`, 'x'.repeat(100_000)]) {
      expect(readKeyProof(context, aDevice.id, other)).toBeUndefined();
    }
  });

  it('is short enough for the first packet that a broker takes', () => {
    expect(proof.length).toBeLessThan(160);
  });
});
