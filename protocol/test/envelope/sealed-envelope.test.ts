import {
  Body,
  Envelope,
  openEnvelope,
  type Seal,
  type SealInit,
  Session,
  sealAlgorithm,
  sealEnvelope,
} from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aCoordinator, aDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';

const key = (byte: number) => new Uint8Array(32).fill(byte);
const id = new Uint8Array(16).fill(5);
const here = () => new Session(id, { send: key(1), receive: key(2) });
const there = () => new Session(id, { send: key(2), receive: key(1) });

const content = {
  recipient: aCoordinator.id,
  sequence: 7,
  sentAtMs: 1_767_225_600_000,
  messages: [{ id: 1, attachmentCount: 2, goodbye: { reason: 'in plain words' } }],
  attachments: [Buffer.from('a picture'), Buffer.from('another')],
};
const frame = sealEnvelope(aDevice, { ...content, session: here() });

const open = (bytes: Uint8Array, session: Session | undefined = there()) =>
  openEnvelope(bytes, {
    recipient: aCoordinator.id,
    keyOf: (peer) => (peer === aDevice.id ? aDevice : undefined),
    lastSequence: () => 6,
    ...(session && { sessionOf: () => session }),
  });

/** The frame with another seal, or more in its body, rightly signed by the device. */
function signed(change: SealInit, more: object = {}): Uint8Array {
  const { body, attachments } = Envelope.decode(frame);
  const { version, sender, recipient, sequence, seal } = Body.decode(body);
  const other = Body.encode({ version, sender, recipient, sequence, seal: { ...(seal as Seal), ...change }, ...more });
  const signature = aDevice.sign(Buffer.concat([Buffer.from('shoal-envelope-v1\0'), other]));
  return Envelope.encode({ body: other, algorithm: 'ed25519', signature, attachments });
}

describe('a sealed envelope', () => {
  it('gives back what was sealed, with the session that opened it', () => {
    const session = there();
    const opened = open(frame, session);
    expect(opened).toMatchObject({ sequence: 7, sentAtMs: content.sentAtMs, session });
    expect(opened.messages).toMatchObject(content.messages);
    expect(opened.attachments.map(String)).toEqual(['a picture', 'another']);
  });

  it('shows who speaks with whom, the sequence and how much, and nothing else', () => {
    const { body, attachments } = Envelope.decode(frame);
    const { sentAtMs, messages, attachmentDigests, ...rest } = Body.decode(body);
    expect({ sentAtMs, messages, attachmentDigests }).toEqual({ sentAtMs: 0, messages: [], attachmentDigests: [] });
    expect(rest).toMatchObject({ sender: aDevice.id, recipient: aCoordinator.id, sequence: 7 });
    expect(attachments.map(({ length }) => length)).toEqual([9, 7]);
    for (const said of ['plain', 'picture', 'another']) expect(Buffer.from(frame).includes(said)).toBe(false);
  });

  it('is refused when any bit of it is another, wherever that is', () => {
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const other = Uint8Array.from(frame, (byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      let opened: ReturnType<typeof open> | undefined;
      const refusal = refusalOf(() => {
        opened = open(other);
      });
      // A bit of a field that is not looked at: the key that is sent along for those who do not know it.
      if (refusal === undefined) expect(opened?.messages).toMatchObject(content.messages);
      else expect(refusal).toMatch(/^(message|device|seal)\./);
    }
  });

  it('is refused when it is cut short anywhere', () => {
    for (let length = 0; length < frame.length; length++) {
      expect(refusalOf(() => open(frame.subarray(0, length)))).toBeDefined();
    }
  });

  it('is refused when its attachments are swapped, joined, left out or another’s', () => {
    const envelope = Envelope.decode(frame);
    const [one = id, two = id] = envelope.attachments;
    for (const attachments of [[two, one], [Buffer.concat([one, two])], [one], [], [one, two, new Uint8Array()]]) {
      expect(refusalOf(() => open(Envelope.encode({ ...envelope, attachments })))).toBe('message.signature');
    }
  });

  it('is refused where there is no such session, or nothing sealed is opened', () => {
    const other = new Session(id, { send: key(3), receive: key(4) });
    expect(refusalOf(() => open(frame, other))).toBe('message.signature');
    expect(
      refusalOf(() => openEnvelope(frame, { recipient: aCoordinator.id, keyOf: () => aDevice, lastSequence: () => 0 })),
    ).toBe('seal.session');
  });

  it('is refused before any session is looked for when the signature, the sequence or the recipient does not fit', () => {
    const asked: string[] = [];
    const opening = {
      recipient: aCoordinator.id,
      keyOf: () => aDevice,
      lastSequence: () => 6,
      sessionOf: (peer: { id: string }) => {
        asked.push(peer.id);
        return there();
      },
    };
    const envelope = Envelope.decode(frame);
    const forged = Envelope.encode({ ...envelope, signature: new Uint8Array(64) });
    expect(refusalOf(() => openEnvelope(forged, opening))).toBe('message.signature');
    expect(refusalOf(() => openEnvelope(frame, { ...opening, lastSequence: () => 7 }))).toBe('message.replayed');
    expect(refusalOf(() => openEnvelope(frame, { ...opening, recipient: 'crd_other' }))).toBe('message.misaddressed');
    expect(asked).toEqual([]);
  });

  it('is refused when it is signed and says a way of sealing that is not known', () => {
    expect(refusalOf(() => open(signed({})))).toBeUndefined();
    for (const algorithm of ['', 'none', `${sealAlgorithm} `, 'aes-256-gcm']) {
      expect(refusalOf(() => open(signed({ algorithm })))).toBe('seal.algorithm');
    }
    expect(refusalOf(() => open(signed({ tag: new Uint8Array() })))).toBe('message.signature');
  });

  it('is refused when there are messages or attachments beside what is sealed', () => {
    expect(refusalOf(() => open(signed({}, { messages: [{ id: 1, empty: {} }] })))).toBe('message.malformed');
    expect(refusalOf(() => open(signed({}, { attachmentDigests: [key(1)] })))).toBe('message.malformed');
  });

  it('is refused when more messages are hidden in it than an envelope may have', () => {
    const messages = Array.from({ length: 1_025 }, () => ({}));
    const full = sealEnvelope(aDevice, { ...content, messages, attachments: [], session: here() });
    expect(refusalOf(() => open(full))).toBe('message.malformed');
  });
});
