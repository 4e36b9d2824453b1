import { equalBytes, sha256, utf8 } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import {
  type Identity,
  type ImportPeerKey,
  importPeerKey,
  type PeerId,
  type PeerKey,
  roleOf,
  signatureAlgorithm,
} from '../identity/index.ts';
import {
  Body,
  type BodyHeader,
  type BodyInit,
  countField,
  Envelope,
  type Message,
  type MessageInit,
  readBodyHeader,
  type Seal,
} from '../messages/index.ts';
import { type Session, sealAlgorithm } from '../seal/index.ts';

const protocolVersion = 1;

/** Most messages under one signature, and most attachments beside them. */
export const mostMessagesPerEnvelope = 1024;

/**
 * Largest frame from a sender whose key is not known, bytes. Anybody can make a key and sign a great many things with it; all that a stranger has
 * to say is hello.
 */
export const strangerFrameBytes = 64 * 1024;

/** Field number of Envelope.attachments. */
const attachmentsField = 5;

/** Keeps a signature over an envelope from being a signature over anything else. */
const signatureContext = utf8('shoal-envelope-v1\0');

export interface SealOptions {
  readonly recipient: PeerId;
  readonly sequence: number;
  readonly sentAtMs: number;
  readonly messages: readonly MessageInit[];
  readonly attachments?: readonly Uint8Array[];
  /** Sends the public key along, for a recipient that may not know it. */
  readonly introduce?: boolean;
  /** Hides messages and attachments from everybody but the recipient. */
  readonly session?: Session | undefined;
}

/** Messages for one recipient as signed bytes. */
export function sealEnvelope(identity: Identity, options: SealOptions): Uint8Array {
  const { content, attachments } = options.session ? sealedContent(options.session, options) : openContent(options);
  const body = Body.encode({
    version: protocolVersion,
    sender: identity.id,
    recipient: options.recipient,
    sequence: options.sequence,
    ...content,
  });
  return Envelope.encode({
    body,
    algorithm: signatureAlgorithm,
    signature: identity.sign(signedBytes(body)),
    publicKey: options.introduce ? identity.publicKey : null,
    attachments,
  });
}

interface Content {
  readonly content: BodyInit;
  readonly attachments: readonly Uint8Array[];
}

function openContent({ sentAtMs, messages, attachments = [] }: SealOptions): Content {
  return { content: { sentAtMs, messages, attachmentDigests: attachments.map(sha256) }, attachments };
}

/** One seal for the whole envelope. What it hides is signed for as it is sent: who checks the signature needs no key of the session. */
function sealedContent(session: Session, { sequence, sentAtMs, messages, attachments = [] }: SealOptions): Content {
  const { parts, tag } = session.seal(sequence, [Body.encode({ sentAtMs, messages }), ...attachments]);
  const [ciphertext, ...hidden] = parts;
  return { content: { seal: { algorithm: sealAlgorithm, session: session.id, ciphertext, tag } }, attachments: hidden };
}

export interface OpenedEnvelope {
  readonly sender: PeerKey;
  readonly sequence: number;
  readonly sentAtMs: number;
  readonly messages: readonly Message[];
  /** Bulk bytes whose digests were signed. */
  readonly attachments: readonly Uint8Array[];
  /** What it was sealed with; `undefined`: others could read it. */
  readonly session: Session | undefined;
}

export interface OpenOptions {
  /** Who this is: an envelope for anybody else is refused. */
  readonly recipient: PeerId;
  /** The key of a peer that is known. `undefined`: the envelope must introduce its sender. */
  keyOf(sender: PeerId): PeerKey | undefined;
  /** Highest sequence accepted from the sender so far. */
  lastSequence(sender: PeerId): number;
  /** Of senders that introduce themselves. Left out: {@link importPeerKey}. */
  readonly importKey?: ImportPeerKey;
  /** The session that a sealed envelope names. @throws `seal.session` when there is none. Left out: there is never one. */
  sessionOf?(sender: PeerKey, sessionId: Uint8Array): Session;
}

/**
 * The one door for everything that comes over a link. What is cheap to see is looked at first (that the recipient is us and the sequence is new), and
 * nothing is believed, or decoded, before the signature over the exact bytes fits the sender and the sender fits its key.
 * @throws `message.malformed`, `message.version`, `message.misaddressed`, `message.replayed`, `message.too-large`, `message.signature`,
 * `device.unknown`, `seal.session`, `seal.algorithm`.
 */
export function openEnvelope(frame: Uint8Array, options: OpenOptions): OpenedEnvelope {
  refuseMoreThan(mostMessagesPerEnvelope, countField(frame, 'Envelope', attachmentsField), 'attachments');
  const envelope = Envelope.decode(frame);
  const header = readBodyHeader(envelope.body);
  checkHeader(header, options);
  const sender = senderOf(frame, envelope, header, options);
  if (envelope.algorithm !== signatureAlgorithm || !sender.verify(signedBytes(envelope.body), envelope.signature)) {
    throw new ShoalError('message.signature', 'the signature does not fit the message', { sender: sender.id });
  }
  const { sentAtMs, messages, attachmentDigests, seal } = Body.decode(envelope.body);
  if (seal) return unseal(seal, sender, header, envelope.attachments, options);
  checkAttachments(envelope.attachments, attachmentDigests);
  const { sequence } = header;
  return { sender, sequence, sentAtMs, messages, attachments: envelope.attachments, session: undefined };
}

function unseal(
  { algorithm, session: id, ciphertext, tag }: Seal,
  sender: PeerKey,
  { sequence }: BodyHeader,
  sealed: readonly Uint8Array[],
  { sessionOf }: OpenOptions,
): OpenedEnvelope {
  if (algorithm !== sealAlgorithm) throw new ShoalError('seal.algorithm', `only ${sealAlgorithm} is known here`);
  const session = sessionOf?.(sender, id);
  if (!session) throw new ShoalError('seal.session', 'nothing sealed is opened here', { sender: sender.id });
  const [content = ciphertext, ...attachments] = session.open(sequence, { parts: [ciphertext, ...sealed], tag });
  refuseMoreThan(mostMessagesPerEnvelope, readBodyHeader(content).messageCount, 'messages');
  const { sentAtMs, messages } = Body.decode(content);
  return { sender, sequence, sentAtMs, messages, attachments, session };
}

function checkHeader(header: BodyHeader, options: OpenOptions): void {
  const { version, recipient, sequence, messageCount, attachmentCount, sealed } = header;
  if (version !== protocolVersion) {
    const spoken = `version ${protocolVersion} is spoken here`;
    throw new ShoalError('message.version', `a message of protocol version ${version}; ${spoken}`, { version });
  }
  if (recipient !== options.recipient) {
    const facts = { recipient: printable(recipient) };
    throw new ShoalError('message.misaddressed', 'the message is for another recipient', facts);
  }
  refuseMoreThan(mostMessagesPerEnvelope, messageCount, 'messages');
  refuseMoreThan(mostMessagesPerEnvelope, attachmentCount, 'attachments');
  if (sealed && messageCount + attachmentCount > 0) {
    throw new ShoalError('message.malformed', 'an envelope that is sealed, and has messages beside the seal');
  }
  const last = options.lastSequence(header.sender);
  if (!Number.isSafeInteger(sequence) || sequence <= last) {
    const facts = { sender: printable(header.sender), sequence };
    throw new ShoalError('message.replayed', `sequence ${sequence} is not after ${last}`, facts);
  }
}

function refuseMoreThan(limit: number, count: number, what: string): void {
  if (count <= limit) return;
  throw new ShoalError('message.malformed', `an envelope with ${count} ${what}; ${limit} are taken`, { count, limit });
}

function senderOf(frame: Uint8Array, envelope: Envelope, body: BodyHeader, options: OpenOptions): PeerKey {
  const known = options.keyOf(body.sender);
  if (known) return known;
  if (frame.length > strangerFrameBytes) {
    throw new ShoalError('message.too-large', `a frame of ${frame.length} bytes from a sender that is not known`, {
      sender: printable(body.sender),
    });
  }
  const role = roleOf(body.sender);
  if (role === undefined || envelope.publicKey.length === 0) {
    throw new ShoalError('device.unknown', 'the sender is not known and does not introduce itself', {
      sender: printable(body.sender),
    });
  }
  const { importKey = importPeerKey } = options;
  const introduced = importKey(role, envelope.publicKey);
  if (introduced.id !== body.sender) {
    throw new ShoalError('message.misaddressed', 'the sender id is not that of the key', {
      sender: printable(body.sender),
    });
  }
  return introduced;
}

function checkAttachments(attachments: readonly Uint8Array[], digests: readonly Uint8Array[]): void {
  const whole =
    attachments.length === digests.length &&
    attachments.every((bytes, i) => equalBytes(sha256(bytes), digests[i] ?? bytes));
  if (!whole) throw new ShoalError('message.signature', 'the attachments are not the ones that were signed for');
}

function signedBytes(body: Uint8Array): Uint8Array {
  return Buffer.concat([signatureContext, body]);
}

/** A peer's text in an error message: short, and nothing that could upset a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?').slice(0, 40);
}
