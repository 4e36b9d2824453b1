import {
  Body,
  CameraStatus,
  countField,
  Envelope,
  Message,
  payloadOf,
  readBodyHeader,
  TaskAssignment,
  Telemetry,
} from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { codecs } from '../support/codecs.ts';
import { refusalOf } from '../support/refusals.ts';

describe('a decoded message', () => {
  it('has 64-bit fields as numbers, exact up to 2^53, whether or not the package `long` is there', () => {
    for (const value of [0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
      const decoded = Body.decode(Body.encode({ sequence: value, sentAtMs: value }));
      expect(decoded.sequence).toBe(value);
      expect(decoded.sentAtMs).toBe(value);
    }
    expect(CameraStatus.decode(Buffer.from('28ffffffffffffffffff01', 'hex')).frames).toBe(2 ** 64);
  });

  it('has zero, empty and false for what was not sent, and null for what may be missing', () => {
    expect(TaskAssignment.decode(new Uint8Array())).toMatchObject({ taskId: '', timeLeftMs: 0 });
    expect(Telemetry.decode(new Uint8Array())).toMatchObject({
      cpuLoad: 0,
      batteryPct: null,
      charging: null,
      cameras: [],
    });
    expect(Telemetry.decode(Telemetry.encode({ batteryPct: 0, charging: false }))).toMatchObject({
      batteryPct: 0,
      charging: false,
    });
  });

  it('keeps a stranger from its prototype', () => {
    const welcome = codecs.get('Welcome');
    const bytes =
      welcome?.encode({
        labels: Object.fromEntries([
          ['__proto__', 'x'],
          ['constructor', 'y'],
        ]),
      }) ?? new Uint8Array();
    const decoded = Object(welcome?.decode(bytes));
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    expect(Reflect.get({}, 'x')).toBeUndefined();
    expect(Object.keys(decoded.labels)).toContain('constructor');
  });

  it('reads a message of a later version: fields that are not known are passed over', () => {
    const later = Buffer.concat([Telemetry.encode({ cpuLoad: 0.5 }), Buffer.from('fa3e03616263', 'hex')]);
    expect(Telemetry.decode(later).cpuLoad).toBe(0.5);
  });

  it('is not made of text that is no UTF-8', () => {
    expect(refusalOf(() => TaskAssignment.decode(Buffer.from('0a02c328', 'hex')))).toBe('message.malformed');
  });
});

describe('the payload of a message', () => {
  it('is named by its kind', () => {
    const payload = payloadOf(Message.decode(Message.encode({ id: 1, goodbye: { reason: 'x' } })));
    expect(payload).toMatchObject({ kind: 'goodbye', value: { reason: 'x' } });
  });

  it('is undefined when it is of a kind that is not known here', () => {
    expect(payloadOf(Message.decode(Buffer.from('080192040100', 'hex')))).toBeUndefined();
    expect(payloadOf(Message.decode(new Uint8Array()))).toBeUndefined();
  });
});

describe('the head of a body', () => {
  it('says what the body says, and counts the rest', () => {
    const body = Body.encode({
      version: 1,
      sender: 'dev_a',
      recipient: 'crd_b',
      sequence: 2 ** 53 - 1,
      messages: [{ id: 1 }, { id: 2 }],
      attachmentDigests: [new Uint8Array(32)],
    });
    expect(readBodyHeader(body)).toEqual({
      version: 1,
      sender: 'dev_a',
      recipient: 'crd_b',
      sequence: 2 ** 53 - 1,
      messageCount: 2,
      attachmentCount: 1,
      sealed: false,
    });
  });

  it('is read as the decoder reads it when a field is there twice: the last one counts', () => {
    const twice = Buffer.concat([
      Body.encode({ sender: 'dev_a', sequence: 1 }),
      Body.encode({ sender: 'dev_b', sequence: 2 }),
    ]);
    const { sender, sequence } = Body.decode(twice);
    expect(readBodyHeader(twice)).toMatchObject({ sender, sequence });
  });

  it('is read as the decoder reads it when a field is set and then empty', () => {
    const emptied = Buffer.concat([Body.encode({ sender: 'dev_a' }), Buffer.from('1200', 'hex')]);
    expect(readBodyHeader(emptied).sender).toBe(Body.decode(emptied).sender);
  });

  it('is refused when it is no message', () => {
    expect(refusalOf(() => readBodyHeader(Buffer.from('0aff', 'hex')))).toBe('message.malformed');
    expect(refusalOf(() => countField(Buffer.from('2a05', 'hex'), 'Envelope', 5))).toBe('message.malformed');
  });

  it('counts a field of an envelope without making anything of it', () => {
    const envelope = Envelope.encode({ attachments: [new Uint8Array(3), new Uint8Array()], algorithm: 'x' });
    expect(countField(envelope, 'Envelope', 5)).toBe(2);
  });
});
