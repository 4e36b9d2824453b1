import {
  decodeJoinToken,
  decodeResult,
  encodeJoinToken,
  encodeResult,
  openEnvelope,
  readKeyProof,
  sealEnvelope,
  seededRandom,
  verifyBundle,
} from '@shoal/protocol';
import { PacketFramer, parseTopic } from '@shoal/protocol/mqtt';
import { describe, expect, it } from 'vitest';
import { aBundle } from '../support/bundles.ts';
import { codecs } from '../support/codecs.ts';
import { aCoordinator, aDevice } from '../support/identities.ts';
import { mutated, refusalOf } from '../support/refusals.ts';

/**
 * Everything that takes bytes from outside, under random and under changed bytes: a refusal with a code is fine, a crash or a defect is not. More
 * than 100,000 cases in all; the seed is fixed so that a failure is the same on every machine.
 */
const seed = 20_260_101;
const changedCases = 12_000;
const randomCases = 8_000;

const open = (frame: Uint8Array) =>
  openEnvelope(frame, {
    recipient: aCoordinator.id,
    keyOf: (id) => (id === aDevice.id ? aDevice : undefined),
    lastSequence: () => 0,
  });

const frame = sealEnvelope(aDevice, {
  recipient: aCoordinator.id,
  sequence: 1,
  sentAtMs: 1,
  messages: [
    { id: 1, hello: { tokenId: 'tok_1', capability: { hostName: 'pi', accelerators: [{ kind: 'gpu' }] } } },
    { id: 2, empty: {} },
  ],
  attachments: [Uint8Array.of(1, 2, 3)],
  introduce: true,
});
const word = encodeJoinToken({
  addresses: ['mqtt://a:1'],
  coordinator: aCoordinator,
  tokenId: 'tok_1',
  secret: new Uint8Array(16),
});
const result = encodeResult({
  schema: 1,
  kind: 'detections',
  pipeline: 'detect',
  picture: { width: 1, height: 2 },
  detections: [{ label: 'dog', score: 0.5, box: { x: 1, y: 2, width: 3, height: 4 } }],
});

const asText = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

const doors: readonly { readonly name: string; readonly good: Uint8Array; take(bytes: Uint8Array): unknown }[] = [
  { name: 'an envelope', good: frame, take: open },
  { name: 'a join token', good: Buffer.from(word), take: (bytes) => decodeJoinToken(asText(bytes)) },
  { name: 'a bundle', good: aBundle().file, take: (bytes) => verifyBundle(bytes) },
  { name: 'a result', good: result, take: (bytes) => decodeResult(bytes) },
  {
    name: 'a stream of MQTT packets',
    good: Buffer.from('300600026162787920020000', 'hex'),
    take: (bytes) => new PacketFramer({ firstBytes: 100, laterBytes: 1000 }).push(Buffer.from(bytes)),
  },
];

describe.each(doors)('$name of any bytes', ({ good, take }) => {
  const takeCase = (number: number, bytes: Uint8Array) => {
    try {
      refusalOf(() => take(bytes));
    } catch (cause) {
      throw new Error(`case ${number}: ${Buffer.from(bytes).toString('hex')}`, { cause });
    }
  };

  it('is taken as it was made', () => {
    expect(refusalOf(() => take(good))).toBeUndefined();
  });

  it(`is refused or taken, never more, when it was changed (${changedCases} cases)`, () => {
    const random = seededRandom(seed);
    for (let i = 0; i < changedCases; i++) takeCase(i, mutated(good, random));
  });

  it(`is refused or taken, never more, when it is random (${randomCases} cases)`, () => {
    const random = seededRandom(seed);
    for (let i = 0; i < randomCases; i++) takeCase(i, random.bytes(Math.floor(random.next() * 201)));
  });
});

describe('every message type', () => {
  it('decodes random bytes to a message or refuses them (40,000 cases)', () => {
    const random = seededRandom(seed);
    const each = Math.ceil(40_000 / codecs.size);
    expect(codecs.size).toBeGreaterThan(20);
    const outcomes = new Set<string | undefined>();
    for (const codec of codecs.values()) {
      for (let i = 0; i < each; i++) {
        outcomes.add(refusalOf(() => codec.decode(random.bytes(Math.floor(random.next() * 60)))));
      }
    }
    expect(outcomes).toEqual(new Set([undefined, 'message.malformed']));
  });
});

describe('a user name, password or topic of any text', () => {
  it('proves nothing, and is no topic (20,000 cases)', () => {
    const random = seededRandom(seed);
    const text = () => Buffer.from(random.bytes(Math.floor(random.next() * 201)));
    const proofs = new Set<unknown>();
    const topics = new Set<unknown>();
    for (let i = 0; i < 20_000; i++) {
      // Every UTF-16 unit, in pairs and alone; and bytes, among them those that topics are made of.
      const [username, password] = i % 2 === 0 ? [utf16(text()), utf16(text())] : [asText(text()), asText(text())];
      proofs
        .add(readKeyProof('shoal-mqtt-v1', username, password))
        .add(readKeyProof('shoal-mqtt-v1', aDevice.id, password));
      topics.add(parseTopic('shoal', `shoal/d/${username}/up`));
    }
    expect(proofs).toEqual(new Set([undefined]));
    expect(topics).toEqual(new Set([undefined]));
  });
});

function utf16(bytes: Buffer): string {
  return bytes.toString('utf16le');
}
