import { importPeerKey, newIdentity, rememberKeys, seededRandom } from '@shoal/protocol';
import { expect, it } from 'vitest';

const random = seededRandom(4);
const devices = Array.from({ length: 6 }, () => newIdentity('device', random));

function remembering(most: number) {
  let imported = 0;
  const importKey = rememberKeys((role, publicKey) => {
    imported += 1;
    return importPeerKey(role, publicKey);
  }, most);
  return { importKey, imported: () => imported };
}

it('imports a key once while it is wanted', () => {
  const { importKey, imported } = remembering(4);
  const [one, other] = devices;
  for (let time = 0; time < 10; time++) {
    for (const device of [one, other]) {
      const key = importKey('device', Uint8Array.from(device?.publicKey ?? []));
      expect(key.id).toBe(device?.id);
    }
  }
  expect(imported()).toBe(2);
});

it('tells a device from a coordinator with the same key', () => {
  const { importKey } = remembering(4);
  const publicKey = devices[0]?.publicKey ?? new Uint8Array();
  expect(importKey('device', publicKey).id.slice(0, 4)).toBe('dev_');
  expect(importKey('coordinator', publicKey).id.slice(0, 4)).toBe('crd_');
});

it('keeps no more than it may: of the others the one that was wanted longest ago is imported again', () => {
  const { importKey, imported } = remembering(4);
  for (const { publicKey } of devices) importKey('device', publicKey);
  expect(imported()).toBe(6);
  importKey('device', devices[5]?.publicKey ?? new Uint8Array());
  importKey('device', devices[3]?.publicKey ?? new Uint8Array());
  expect(imported()).toBe(6);
  importKey('device', devices[0]?.publicKey ?? new Uint8Array());
  expect(imported()).toBe(7);
});
