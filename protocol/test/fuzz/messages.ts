import {
  Body,
  countField,
  createLogger,
  Envelope,
  fromHex,
  type LinkListener,
  Messenger,
  openEnvelope,
  Session,
  sealAlgorithm,
  sealEnvelope,
  toHex,
} from '@shoal/protocol';
import { type FuzzTarget, MemorySequenceStore, VirtualClock } from '@shoal/protocol/testing';
import { readGolden } from '../messages/golden-file.ts';
import { codecs } from '../support/codecs.ts';
import { aCoordinator, aDevice, anotherDevice } from '../support/identities.ts';

const golden = Object.entries(await readGolden()).map(([name, hex]) => ({
  type: name.split('/')[0] ?? name,
  bytes: fromHex(hex) ?? new Uint8Array(),
}));
const samplesOf = (type: string) => golden.filter((sample) => sample.type === type).map(({ bytes }) => bytes);

const addressed = { recipient: aCoordinator.id, sentAtMs: 1_767_225_600_000 };
const telemetry = { telemetry: { cpuLoad: 0.5, cameras: [{ cameraId: 'cam_1', fps: 5 }] } };
const hello = { hello: { tokenId: 'tok_1', capability: { hostName: 'pi', accelerators: [{ kind: 'gpu' }] } } };

/** Frames of a device that has joined, of one that introduces itself, with many messages and with attachments. */
const frames = [
  sealEnvelope(aDevice, { ...addressed, sequence: 1, messages: [{ id: 1, ...telemetry }] }),
  sealEnvelope(anotherDevice, { ...addressed, sequence: 2, messages: [{ id: 2, ...hello }], introduce: true }),
  sealEnvelope(aDevice, {
    ...addressed,
    sequence: 3,
    messages: [
      { id: 3, attachmentCount: 1, ...telemetry },
      { id: 4, firstAttachment: 1, attachmentCount: 1, empty: {} },
    ],
    attachments: [Uint8Array.of(1, 2, 3), new Uint8Array(100)],
  }),
];

const ofADevice = [
  ...frames.filter((_, i) => i !== 1),
  sealEnvelope(aDevice, { ...addressed, sequence: 4, messages: [{ id: 5, ...hello }], introduce: true }),
];
const bodies = ofADevice.map((frame) => Envelope.decode(frame).body);
const genuine = new Map(
  frames.map((frame) => [toHex(Envelope.decode(frame).body), Envelope.decode(frame).attachments]),
);

/** Throws unless this is what a device signed, with the attachments that it signed for. */
function requireSigned(body: Uint8Array, attachments: readonly Uint8Array[]): void {
  const signed = genuine.get(toHex(body));
  const same =
    signed?.length === attachments.length &&
    signed.every((bytes, i) => toHex(bytes) === toHex(attachments[i] ?? bytes));
  if (!same) throw new Error('something was believed that nobody has signed');
}

const opening = {
  recipient: aCoordinator.id,
  keyOf: (id: string) => (id === aDevice.id ? aDevice : undefined),
  lastSequence: () => 0,
};

const refusals = [
  'message.malformed',
  'message.version',
  'message.misaddressed',
  'message.replayed',
  'message.too-large',
  'message.signature',
  'device.unknown',
  'seal.session',
  'seal.algorithm',
] as const;

/** What decodes is written in one way, and that way is read as the same; numbers beyond 2^53 are not exact. */
function requireStable(type: string, bytes: Uint8Array): void {
  const codec = codecs.get(type);
  if (!codec) throw new Error(`no message type ${type}`);
  const decoded = codec.decode(bytes);
  const written = codec.encode(decoded as object);
  const again = codec.encode(codec.decode(written) as object);
  if (toHex(written) !== toHex(again) && isExact(decoded))
    throw new Error(`${type} is read as something else than was written`);
}

function isExact(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) < 2 ** 53 || !Number.isFinite(value);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true;
  return Object.values(value).every(isExact);
}

/** Around any body an envelope that the device has signed: a device with a key is an attacker too. */
function signedByDevice(body: Uint8Array): Uint8Array {
  const signature = aDevice.sign(Buffer.concat([Buffer.from('shoal-envelope-v1\0'), body]));
  const attachments = countField(body, 'Body', 7) > 0 ? Envelope.decode(frames[2] as Uint8Array).attachments : [];
  return Envelope.encode({ body, algorithm: 'ed25519', signature, attachments });
}

/** What a device hides with a session that it has, and signs: nobody but the recipient has looked at it before. */
function sealedByDevice(content: Uint8Array): ReturnType<typeof openEnvelope> {
  const keys = () => [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;
  const [send, receive] = keys();
  const [heard, said] = keys();
  const id = new Uint8Array(16);
  const { parts, tag } = new Session(id, { send, receive }).seal(9, [content]);
  const seal = { algorithm: sealAlgorithm, session: id, ciphertext: parts[0], tag };
  const body = Body.encode({ version: 1, sender: aDevice.id, recipient: aCoordinator.id, sequence: 9, seal });
  const session = new Session(id, { send: said, receive: heard });
  return openEnvelope(signedByDevice(body), { ...opening, sessionOf: () => session });
}

/** A messenger on a link that is played by hand hears one frame. What it logs as an error is one of ours. */
async function hear(frame: Uint8Array): Promise<void> {
  const errors: string[] = [];
  let onFrame: LinkListener['onFrame'] = () => {};
  const messenger = new Messenger({
    identity: aCoordinator,
    link: {
      name: 'by hand',
      kind: 'memory',
      traits: { maxFrameBytes: 1 << 20, reliable: true, ordered: true, duplex: true },
      start: async () => {},
      stop: async () => {},
      send: async () => {},
      subscribe(listener) {
        onFrame = listener.onFrame;
        return () => {};
      },
    },
    peers: opening,
    sequences: new MemorySequenceStore(),
    clock: new VirtualClock(),
    logger: createLogger(({ message, fields }) => errors.push(`${message} ${JSON.stringify(fields)}`), 'error'),
  });
  messenger.handle(() => undefined);
  await messenger.start(new AbortController().signal);
  onFrame(frame, aDevice.id);
  await messenger.stop();
  if (errors.length > 0) throw new Error(errors.join('; '));
}

export const messageTargets: readonly FuzzTarget[] = [
  {
    name: 'envelope',
    form: 'protobuf',
    samples: frames,
    refuses: refusals,
    take(bytes) {
      const { attachments } = openEnvelope(bytes, opening);
      requireSigned(Envelope.decode(bytes).body, attachments);
    },
  },
  {
    name: 'body signed by a device',
    form: 'protobuf',
    samples: bodies,
    refuses: refusals,
    cost: 4,
    take(bytes) {
      const { messages, sequence } = openEnvelope(signedByDevice(bytes), opening);
      if (messages.length > 1024 || sequence <= 0 || !Number.isSafeInteger(sequence))
        throw new Error('a limit was passed');
      requireStable('Body', bytes);
    },
  },
  {
    name: 'content sealed by a device',
    form: 'protobuf',
    samples: bodies,
    refuses: ['message.malformed'],
    cost: 4,
    take(bytes) {
      const { messages, attachments } = sealedByDevice(bytes);
      if (messages.length > 1024 || attachments.length > 0) throw new Error('a limit was passed');
    },
  },
  {
    name: 'messenger that hears what a device signed',
    form: 'protobuf',
    samples: bodies,
    // What cannot be counted cannot be signed for either.
    refuses: ['message.malformed'],
    cost: 8,
    take: (bytes) => hear(signedByDevice(bytes)),
  },
  ...[...codecs.keys()].map(
    (type): FuzzTarget => ({
      name: `message ${type}`,
      form: 'protobuf',
      samples: samplesOf(type),
      refuses: ['message.malformed'],
      take: (bytes) => requireStable(type, bytes),
    }),
  ),
];
