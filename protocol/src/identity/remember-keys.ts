import type { ImportPeerKey, PeerKey } from './identity.ts';

/**
 * Imports keys, and has those at hand that were wanted last: importing costs as much as verifying, and a key that was imported takes 1 KB where its 32
 * bytes take a tenth of that.
 * @param most how many are kept; the last half of that for certain
 */
export function rememberKeys(importKey: ImportPeerKey, most: number): ImportPeerKey {
  let young = new Map<string, PeerKey>();
  let old = young;
  return (role, publicKey) => {
    const name = role + Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.byteLength).toString('latin1');
    const known = young.get(name);
    if (known) return known;
    const key = old.get(name) ?? importKey(role, publicKey);
    if (young.size >= most >> 1) {
      old = young;
      young = new Map();
    }
    young.set(name, key);
    return key;
  };
}
