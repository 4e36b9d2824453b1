import { createHash, createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';
import { equalBytes, utf8 } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import type {
  KeyShareInit,
  SessionAnswer,
  SessionAnswerInit,
  SessionOffer,
  SessionOfferInit,
} from '../messages/index.ts';
import type { Random } from '../runtime/index.ts';
import { Session, sessionIdLength, sessionKeyLength } from './session.ts';

/** The only way of sealing so far: X25519 (RFC 7748), HKDF-SHA256 (RFC 5869), ChaCha20-Poly1305 (RFC 8439). Offers and seals carry its name. */
export const sealAlgorithm = 'x25519-hkdf-sha256-chacha20-poly1305';

const shareLength = 32;
/** More ways of sealing are not looked at. */
const mostShares = 16;
const context = utf8('shoal-session-v1\0');

/** The raw Ed25519 public keys of the two who agree. */
export interface Parties {
  readonly device: Uint8Array;
  readonly coordinator: Uint8Array;
}

/** The device's side of an agreement: a key pair that is used once. */
export class KeyOffer {
  readonly message: SessionOfferInit & SessionOffer;
  #secret: KeyObject | undefined;

  constructor(random: Random) {
    const { secret, share } = newKeyPair(random);
    this.#secret = secret;
    this.message = { shares: [{ algorithm: sealAlgorithm, share }] };
  }

  /**
   * The session that the coordinator's answer makes. The answer's signature was checked: it came in an envelope.
   * @throws `seal.algorithm`, `message.signature` when it answers another offer, `closed` when one was accepted before.
   */
  accept({ share: theirs, session: id }: SessionAnswer, parties: Parties): Session {
    const secret = this.#secret;
    if (!secret) throw new ShoalError('closed', 'the offer was answered before');
    if (theirs?.algorithm !== sealAlgorithm) throw unknownAlgorithm();
    const transcript = transcriptOf(this.message, { algorithm: sealAlgorithm, share: theirs.share }, parties);
    if (!equalBytes(id, idOf(transcript))) {
      throw new ShoalError('message.signature', 'the answer is not to the offer that was made');
    }
    const { toCoordinator, toDevice } = deriveKeys(secret, theirs.share, transcript);
    this.end();
    return new Session(idOf(transcript), { send: toCoordinator, receive: toDevice });
  }

  /** Lets go of the secret half. */
  end(): void {
    this.#secret = undefined;
  }
}

/** The coordinator's side. @throws `seal.algorithm` when nothing that is offered is known here; `message.malformed`. */
export function answerOffer(
  offer: SessionOffer,
  parties: Parties,
  random: Random,
): { readonly answer: SessionAnswerInit; readonly session: Session } {
  if (offer.shares.length > mostShares) {
    throw new ShoalError('message.malformed', `${offer.shares.length} ways of sealing; ${mostShares} are looked at`);
  }
  const theirs = offer.shares.find(({ algorithm }) => algorithm === sealAlgorithm);
  if (!theirs) throw unknownAlgorithm();
  const { secret, share } = newKeyPair(random);
  const ours = { algorithm: sealAlgorithm, share };
  const transcript = transcriptOf(offer, ours, parties);
  const { toCoordinator, toDevice } = deriveKeys(secret, theirs.share, transcript);
  const id = idOf(transcript);
  return { answer: { share: ours, session: id }, session: new Session(id, { send: toDevice, receive: toCoordinator }) };
}

/** Everything that was said and who said it: another word anywhere, and the two have other keys. */
function transcriptOf(
  offer: SessionOffer,
  answer: Required<KeyShareInit>,
  { device, coordinator }: Parties,
): Uint8Array {
  const hash = createHash('sha256').update(context);
  const add = (bytes: Uint8Array) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  add(device);
  add(coordinator);
  for (const { algorithm, share } of [...offer.shares, answer]) {
    add(utf8(algorithm ?? ''));
    add(share ?? new Uint8Array());
  }
  return hash.digest();
}

/** A copy: of a transcript nothing else is kept. */
function idOf(transcript: Uint8Array): Uint8Array {
  return new Uint8Array(transcript.subarray(0, sessionIdLength));
}

function deriveKeys(secret: KeyObject, theirShare: Uint8Array, transcript: Uint8Array) {
  const common = agree(secret, theirShare);
  const keys = new Uint8Array(hkdfSync('sha256', common, transcript, context, 2 * sessionKeyLength));
  common.fill(0);
  return { toCoordinator: keys.subarray(0, sessionKeyLength), toDevice: keys.subarray(sessionKeyLength) };
}

function agree(privateKey: KeyObject, share: Uint8Array): Uint8Array {
  if (share.length !== shareLength) throw malformedShare(share);
  const der = Buffer.concat([spkiPrefix, share]);
  try {
    // RFC 7748 §6.1: OpenSSL refuses a share for which the result is all zero.
    return diffieHellman({ privateKey, publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }) });
  } catch (cause) {
    throw malformedShare(share, cause);
  }
}

function newKeyPair(random: Random): { readonly secret: KeyObject; readonly share: Uint8Array } {
  const seed = random.bytes(shareLength);
  const der = Buffer.concat([pkcs8Prefix, seed]);
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  seed.fill(0);
  der.fill(0);
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' });
  return { secret, share: new Uint8Array(spki.subarray(spkiPrefix.length)) };
}

function malformedShare({ length }: Uint8Array, cause?: unknown): ShoalError {
  return new ShoalError('message.malformed', `these ${length} bytes are not an X25519 public key`, {}, { cause });
}

function unknownAlgorithm(): ShoalError {
  return new ShoalError('seal.algorithm', `only ${sealAlgorithm} is known here`);
}

// RFC 8410 §4 and §7: the fixed DER in front of a raw X25519 key.
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex');
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
