import {
  Body,
  Envelope,
  type EnvelopeInit,
  identityFromSeed,
  mostMessagesPerEnvelope,
  type OpenOptions,
  openEnvelope,
  type SealOptions,
  sealEnvelope,
  strangerFrameBytes,
} from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { aCoordinator, aDevice, anotherDevice } from '../support/identities.ts';
import { refusalOf } from '../support/refusals.ts';

function sealed(options: Partial<SealOptions> = {}): Uint8Array {
  return sealEnvelope(aDevice, {
    recipient: aCoordinator.id,
    sequence: 7,
    sentAtMs: 1_767_225_600_000,
    messages: [{ id: 1, telemetry: { cpuLoad: 0.5 } }],
    ...options,
  });
}

function open(frame: Uint8Array, options: Partial<OpenOptions> = {}) {
  return openEnvelope(frame, {
    recipient: aCoordinator.id,
    keyOf: (id) => (id === aDevice.id ? aDevice : undefined),
    lastSequence: () => 6,
    ...options,
  });
}

/** The same envelope with something about it changed that is outside of the signature. */
function changed(frame: Uint8Array, change: EnvelopeInit): Uint8Array {
  return Envelope.encode({ ...Envelope.decode(frame), ...change });
}

/** An envelope over any body, rightly signed. */
function signed(body: Uint8Array, change: EnvelopeInit = {}): Uint8Array {
  const signature = aDevice.sign(Buffer.concat([Buffer.from('shoal-envelope-v1\0'), body]));
  return Envelope.encode({ body, algorithm: 'ed25519', signature, ...change });
}

const body = (init: object = {}) =>
  Body.encode({ version: 1, sender: aDevice.id, recipient: aCoordinator.id, sequence: 7, ...init });

describe('an envelope', () => {
  it('gives back what was sealed, and who sealed it', () => {
    const opened = open(sealed({ attachments: [Uint8Array.of(1, 2), Uint8Array.of()] }));
    expect(opened).toMatchObject({ sequence: 7, sentAtMs: 1_767_225_600_000 });
    expect(opened.sender.id).toBe(aDevice.id);
    expect(opened.messages).toHaveLength(1);
    expect(opened.messages[0]).toMatchObject({ id: 1, replyTo: 0, payload: 'telemetry', telemetry: { cpuLoad: 0.5 } });
    expect(opened.attachments.map((bytes) => [...bytes])).toEqual([[1, 2], []]);
  });

  it('is the same bytes every time', () => {
    expect(Buffer.from(sealed()).equals(sealed())).toBe(true);
  });

  it('introduces a sender that is not known', () => {
    const opened = open(sealed({ introduce: true }), { keyOf: () => undefined });
    expect(opened.sender.id).toBe(aDevice.id);
    expect([...opened.sender.publicKey]).toEqual([...aDevice.publicKey]);
  });

  it('is refused when its sender is not known and does not introduce itself', () => {
    expect(refusalOf(() => open(sealed(), { keyOf: () => undefined }))).toBe('device.unknown');
  });

  it('is refused when any part of the signature or the body is another', () => {
    const frame = sealed();
    const { body, signature } = Envelope.decode(frame);
    const other = Uint8Array.from(signature, (byte, i) => (i === 10 ? byte ^ 1 : byte));
    expect(refusalOf(() => open(changed(frame, { signature: other })))).toBe('message.signature');
    expect(refusalOf(() => open(changed(frame, { signature: new Uint8Array(64) })))).toBe('message.signature');
    expect(refusalOf(() => open(changed(frame, { signature: signature.subarray(1) })))).toBe('message.signature');
    const doubled = Buffer.concat([body, Body.encode({ sentAtMs: 1 })]);
    expect(refusalOf(() => open(changed(frame, { body: doubled })))).toBe('message.signature');
  });

  it('is refused when another device signed it', () => {
    const signature = anotherDevice.sign(Buffer.concat([Buffer.from('shoal-envelope-v1\0'), body()]));
    expect(refusalOf(() => open(signed(body(), { signature })))).toBe('message.signature');
  });

  it('is refused when the signature is over the body alone, or for another purpose', () => {
    for (const context of ['', 'shoal-mqtt-v1\0', 'shoal-envelope-v1']) {
      const signature = aDevice.sign(Buffer.concat([Buffer.from(context), body()]));
      expect(refusalOf(() => open(signed(body(), { signature })))).toBe('message.signature');
    }
  });

  it('is refused when a stranger introduces another key than its own', () => {
    const frame = changed(sealed(), { publicKey: anotherDevice.publicKey });
    expect(refusalOf(() => open(frame, { keyOf: () => undefined }))).toBe('message.misaddressed');
  });

  it('is refused when a device introduces itself as a coordinator with the same key', () => {
    const twin = identityFromSeed('coordinator', new Uint8Array(32).fill(1));
    const frame = signed(body({ sender: twin.id }), { publicKey: aDevice.publicKey });
    expect(open(frame, { keyOf: () => undefined }).sender.id).toBe(twin.id);
    expect(refusalOf(() => open(frame, { keyOf: (id) => (id === twin.id ? anotherDevice : undefined) }))).toBe(
      'message.signature',
    );
  });

  it('believes the key that is known, whatever key is sent along', () => {
    const frame = changed(sealed(), { publicKey: anotherDevice.publicKey });
    expect(open(frame).sender.id).toBe(aDevice.id);
  });

  it.each([0, 31, 33])('is refused when the introduced key has %i bytes', (length) => {
    const frame = changed(sealed(), { publicKey: new Uint8Array(length) });
    expect(refusalOf(() => open(frame, { keyOf: () => undefined }))).toBe(
      length === 0 ? 'device.unknown' : 'message.signature',
    );
  });

  it('is refused by anybody it is not for', () => {
    expect(refusalOf(() => open(sealed({ recipient: anotherDevice.id })))).toBe('message.misaddressed');
    expect(refusalOf(() => open(sealed(), { recipient: anotherDevice.id }))).toBe('message.misaddressed');
  });

  it('is refused the second time, and when it is older than the last', () => {
    expect(refusalOf(() => open(sealed(), { lastSequence: () => 7 }))).toBe('message.replayed');
    expect(refusalOf(() => open(sealed({ sequence: 3 })))).toBe('message.replayed');
    expect(refusalOf(() => open(sealed({ sequence: 0 }), { lastSequence: () => 0 }))).toBe('message.replayed');
    expect(refusalOf(() => open(sealed({ sequence: 8 }), { lastSequence: () => 7 }))).toBeUndefined();
  });

  it('is refused when its sequence is too large to be counted exactly', () => {
    expect(refusalOf(() => open(sealed({ sequence: 2 ** 53 - 1 })))).toBeUndefined();
    expect(refusalOf(() => open(sealed({ sequence: 2 ** 53 })))).toBe('message.replayed');
    expect(refusalOf(() => open(sealed({ sequence: 2 ** 64 - 2048 })))).toBe('message.replayed');
  });

  it.each([0, 2, 4_294_967_295])('is refused when it is of protocol version %i', (version) => {
    expect(refusalOf(() => open(signed(body({ version }))))).toBe('message.version');
  });

  it.each(['', 'Ed25519', 'none', 'ed25519ph'])('is refused when its algorithm is "%s"', (algorithm) => {
    expect(refusalOf(() => open(changed(sealed(), { algorithm })))).toBe('message.signature');
  });

  it('is refused when an attachment is changed, swapped, left out, added or put elsewhere', () => {
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
    const frame = sealed({ attachments: [one, two] });
    for (const attachments of [[one, Uint8Array.of(3)], [two, one], [one], [one, two, one], [one, one, two], []]) {
      expect(refusalOf(() => open(changed(frame, { attachments })))).toBe('message.signature');
    }
    expect(refusalOf(() => open(changed(frame, { attachments: [one, two] })))).toBeUndefined();
  });

  it('is refused when a digest is cut short, even if the bytes begin with it', () => {
    const digest = Uint8Array.of(1, 2, 3);
    const frame = signed(body({ attachmentDigests: [digest] }), { attachments: [digest] });
    expect(refusalOf(() => open(frame))).toBe('message.signature');
  });

  it('is refused when it is cut short anywhere', () => {
    const frame = sealed({ attachments: [new Uint8Array(20)] });
    for (let length = 0; length < frame.length; length++) {
      expect(
        refusalOf(() => open(frame.subarray(0, length))),
        `${length} bytes`,
      ).toBeDefined();
    }
  });

  it('is refused before anything in it is decoded when it holds more messages or attachments than are taken', () => {
    const many = (count: number) => body({ messages: Array.from({ length: count }, () => ({})) });
    expect(refusalOf(() => open(signed(many(mostMessagesPerEnvelope))))).toBeUndefined();
    expect(refusalOf(() => open(signed(many(mostMessagesPerEnvelope + 1))))).toBe('message.malformed');
    const attachments = Array.from({ length: mostMessagesPerEnvelope + 1 }, () => new Uint8Array());
    expect(refusalOf(() => open(changed(sealed(), { attachments })))).toBe('message.malformed');
    expect(refusalOf(() => open(signed(body({ attachmentDigests: attachments }))))).toBe('message.malformed');
  });

  it('is refused when it is large and from a stranger', () => {
    const options = { introduce: true, attachments: [new Uint8Array(strangerFrameBytes)] };
    expect(refusalOf(() => open(sealed(options), { keyOf: () => undefined }))).toBe('message.too-large');
    expect(refusalOf(() => open(sealed(options)))).toBeUndefined();
  });

  it('shows nothing of a sender id but what a terminal can bear', () => {
    const frame = signed(body({ sender: `\u001b[2Jdev_${'x'.repeat(500)}` }));
    const message = (() => {
      try {
        open(frame);
        return undefined;
      } catch (error) {
        return JSON.stringify(Object(error).facts);
      }
    })();
    expect(message).toMatch(/^\{"sender":"\?\[2Jdev_x{32}"\}$/);
  });
});
