import {
  newIdentity,
  openSuccession,
  type SuccessionOptions,
  sealEnvelope,
  sealSuccession,
  seededRandom,
} from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aCoordinator, aDevice, anotherDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';

const next = newIdentity('device', seededRandom(41));
const elsewhere = newIdentity('coordinator', seededRandom(42));
const word = { recipient: aCoordinator.id, sequence: 9, sentAtMs: 1 };

function open(sealed: Uint8Array, options: Partial<SuccessionOptions> = {}) {
  return openSuccession(sealed, {
    coordinator: aCoordinator.id,
    successor: next,
    keyOf: (id) => (id === aDevice.id ? aDevice : undefined),
    lastSequence: () => 8,
    ...options,
  });
}

/** What the old key says, with anything about the new one. */
function said(change: { algorithm?: string; publicKey?: Uint8Array; signature?: Uint8Array }, by = next) {
  const consent = Buffer.from(`shoal-succession-v1\0${aDevice.id}\0${aCoordinator.id}`);
  const succession = { algorithm: 'ed25519', publicKey: next.publicKey, signature: by.sign(consent), ...change };
  return sealEnvelope(aDevice, { ...word, messages: [{ succession }] });
}

describe('the word of an old key for a new one', () => {
  it('says whose place the new one takes', () => {
    expect(open(sealSuccession(aDevice, next, word))).toBe(aDevice.id);
    expect(open(said({}))).toBe(aDevice.id);
  });

  it.each([
    ['the old key does not mean the new one', said({ publicKey: anotherDevice.publicKey }), 'message.signature'],
    ['the new key does not mean the old one', said({}, anotherDevice), 'message.signature'],
    ['the new key means nobody', said({ signature: new Uint8Array(64) }), 'message.signature'],
    ['the new key is of another algorithm', said({ algorithm: 'ml-dsa-65' }), 'message.signature'],
    [
      'it was said to another coordinator',
      sealSuccession(aDevice, next, { ...word, recipient: elsewhere.id }),
      'message.misaddressed',
    ],
    [
      'the old key has said something since',
      sealSuccession(aDevice, next, { ...word, sequence: 8 }),
      'message.replayed',
    ],
    ['the old key is not known', sealSuccession(anotherDevice, next, word), 'device.unknown'],
    ['it is something else', sealEnvelope(aDevice, { ...word, messages: [{ goodbye: {} }] }), 'message.malformed'],
    ['it is nothing', new Uint8Array(), 'message.version'],
    ['it is nonsense', Uint8Array.of(255, 255), 'message.malformed'],
  ])('is not believed when %s', (_, sealed, code) => {
    expect(refusalOf(() => open(sealed))).toBe(code);
  });

  it('is not believed from whom it does not speak of, who may have heard it on its way', () => {
    const sealed = sealSuccession(aDevice, next, word);
    expect(refusalOf(() => open(sealed, { successor: anotherDevice }))).toBe('message.signature');
  });
});
