import { defaultCrypto } from '@libp2p/noise/crypto';
import fc from 'fast-check';
import { Uint8ArrayList } from 'uint8arraylist';
import { describe, expect, it } from 'vitest';
import { noiseCrypto } from '../../../src/link/libp2p/noise-crypto.ts';

const key = new Uint8Array(32).fill(7);
const nonce = new Uint8Array(12).fill(9);
const nothing = new Uint8Array(0);
const plain = fc.integer({ min: 0, max: 70_000 }).map((length) => Buffer.alloc(length, `${length}`));
const cutAt = fc.nat(70_000);

/** As a message comes from a socket: in two parts. */
const inTwo = (bytes: Uint8Array, at: number) => new Uint8ArrayList(bytes.subarray(0, at), bytes.subarray(at));
/** As the library hands it over: with a copy of the ciphertext in one piece. */
const opened = (crypto: typeof defaultCrypto, sealed: Uint8Array, at: number) => {
  const parts = inTwo(sealed, at);
  return crypto.chaCha20Poly1305Decrypt(parts, nonce, nothing, key, parts.slice(0, sealed.length - 16)).subarray();
};

describe('our way to the ciphers of Noise', () => {
  it('seals what the library opens, and opens what the library seals, however it is broken up', () => {
    fc.assert(
      fc.property(plain, cutAt, (bytes, at) => {
        const sealed = (crypto: typeof defaultCrypto) =>
          crypto.chaCha20Poly1305Encrypt(inTwo(bytes, at), nonce, nothing, key).slice();
        expect(Buffer.compare(opened(defaultCrypto, sealed(noiseCrypto), at), bytes)).toBe(0);
        expect(Buffer.compare(opened(noiseCrypto, sealed(defaultCrypto), at), bytes)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('opens nothing of which one bit was changed', () => {
    const sealed = noiseCrypto.chaCha20Poly1305Encrypt(new Uint8Array(5_000), nonce, nothing, key).slice();
    for (const at of [0, 2_500, 4_999, 5_000, 5_015]) {
      const changed = sealed.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => opened(noiseCrypto, changed, 1_000)).toThrow();
    }
  });

  it('leaves the buffer alone in which a message lies with others', () => {
    const sealed = noiseCrypto.chaCha20Poly1305Encrypt(new Uint8Array(5_000), nonce, nothing, key).slice();
    const socket = Buffer.concat([sealed, Buffer.from('more')]);
    const view = socket.subarray(0, sealed.length);
    noiseCrypto.chaCha20Poly1305Decrypt(view, nonce, nothing, key, view.subarray(0, 5_000));
    expect(socket.subarray(sealed.length).toString()).toBe('more');
  });
});
