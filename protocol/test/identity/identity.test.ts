import {
  fromHex,
  identityFromSeed,
  importPeerKey,
  newIdentity,
  peerIdOf,
  roleOf,
  seededRandom,
  toHex,
} from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aCoordinator, aDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';

const hex = (text: string) => fromHex(text) ?? new Uint8Array();

/** RFC 8032 §7.1: tests 1, 2, 3 and SHA(abc). */
const vectors = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
];

describe('an Ed25519 identity', () => {
  it.each(vectors)(
    'signs and verifies as RFC 8032 says, message "$message"',
    ({ seed, publicKey, message, signature }) => {
      const identity = identityFromSeed('device', hex(seed));
      expect(toHex(identity.publicKey)).toBe(publicKey);
      expect(toHex(identity.sign(hex(message)))).toBe(signature);
      expect(importPeerKey('device', hex(publicKey)).verify(hex(message), hex(signature))).toBe(true);
    },
  );

  it('verifies nothing else', () => {
    const [one, two] = vectors;
    const key = importPeerKey('device', hex(one?.publicKey ?? ''));
    const signature = hex(one?.signature ?? '');
    expect(key.verify(Uint8Array.of(0), signature)).toBe(false);
    expect(key.verify(new Uint8Array(), hex(two?.signature ?? ''))).toBe(false);
    expect(key.verify(new Uint8Array(), signature.subarray(0, 63))).toBe(false);
    expect(key.verify(new Uint8Array(), new Uint8Array())).toBe(false);
    for (let bit = 0; bit < signature.length * 8; bit++) {
      const flipped = Uint8Array.from(signature, (byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(key.verify(new Uint8Array(), flipped), `bit ${bit}`).toBe(false);
    }
  });

  it('keeps no hold on the bytes it was given', () => {
    const seed = new Uint8Array(32).fill(1);
    const identity = identityFromSeed('device', seed);
    const publicKey = Uint8Array.from(identity.publicKey);
    const key = importPeerKey('device', publicKey);
    seed.fill(0);
    publicKey.fill(0);
    expect(key.verify(Uint8Array.of(1), identity.sign(Uint8Array.of(1)))).toBe(true);
    expect([...key.publicKey]).toEqual([...identity.publicKey]);
  });

  it('is another one for other randomness', () => {
    const random = seededRandom(1);
    expect(newIdentity('device', random).id).not.toBe(newIdentity('device', random).id);
  });

  it('cannot be made of a key or a seed of the wrong length', () => {
    expect(refusalOf(() => importPeerKey('device', new Uint8Array(31)))).toBe('message.signature');
    expect(() => identityFromSeed('device', new Uint8Array(33))).toThrow('33');
  });

  it('does not show its seed', () => {
    expect(JSON.stringify(aDevice)).not.toContain('0101');
    expect(Object.keys(aDevice).sort()).toEqual(['id', 'publicKey', 'sign', 'verify']);
  });
});

describe('the id of a peer', () => {
  it('never changes for a key', () => {
    // RFC 8032's first public key, hashed and written in base 32 by another program.
    const publicKey = hex(vectors[0]?.publicKey ?? '');
    expect(peerIdOf('device', publicKey)).toBe('dev_eh7ddx5bksrgcytl7bkai36se4');
    expect(peerIdOf('coordinator', publicKey)).toBe('crd_eh7ddx5bksrgcytl7bkai36se4');
    expect(aCoordinator.id).toMatch(/^crd_[a-z2-7]{26}$/);
    expect(peerIdOf('device', aDevice.publicKey)).toBe(aDevice.id);
  });

  it('tells the role, and what is no id tells none', () => {
    expect(roleOf(aDevice.id)).toBe('device');
    expect(roleOf(aCoordinator.id)).toBe('coordinator');
    for (const text of [
      '',
      'dev_',
      `${aDevice.id}x`,
      aDevice.id.slice(0, -1),
      aDevice.id.toUpperCase(),
      `x${aDevice.id}`,
      `${aDevice.id}\n`,
    ]) {
      expect(roleOf(text), text).toBeUndefined();
    }
  });
});
