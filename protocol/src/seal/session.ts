import {
  type CipherChaCha20Poly1305,
  createCipheriv,
  createDecipheriv,
  type DecipherChaCha20Poly1305,
} from 'node:crypto';
import { ShoalError } from '../errors/index.ts';

/** Bytes of one direction's key. */
export const sessionKeyLength = 32;
export const sessionIdLength = 16;
const tagLength = 16;
const nonceLength = 12;

export interface SessionKeys {
  /** 32 bytes each. They are the session's from now on, which overwrites them when it ends. */
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

export interface Sealed {
  /** Each as long as what it hides. */
  readonly parts: readonly Uint8Array[];
  /** Over all parts and their lengths, 16 bytes. */
  readonly tag: Uint8Array;
}

/** Two keys that two peers have in common for a while, one for each direction. Whoever learns them later than {@link end} learns them from nobody here. */
export class Session {
  readonly id: Uint8Array;
  readonly #keys: SessionKeys;
  #lastSealed = 0;
  #frames = 0;
  #ended = false;

  constructor(id: Uint8Array, keys: SessionKeys) {
    this.id = id;
    this.#keys = keys;
  }

  /** Frames that were sealed and opened so far. */
  get frames(): number {
    return this.#frames;
  }

  /**
   * Encrypts the parts under one tag. The sequence is the nonce: a sender uses each only once.
   * @throws `seal.session` after {@link end}; `defect` for a sequence that is not above the last.
   */
  seal(sequence: number, parts: readonly Uint8Array[]): Sealed {
    this.#refuseEnded();
    if (!Number.isSafeInteger(sequence) || sequence <= this.#lastSealed) {
      throw new ShoalError('defect', `sequence ${sequence} was to seal a second time, after ${this.#lastSealed}`);
    }
    this.#lastSealed = sequence;
    this.#frames += 1;
    const cipher = createCipheriv('chacha20-poly1305', this.#keys.send, nonceOf(sequence), {
      authTagLength: tagLength,
    });
    const sealed = run(cipher, parts);
    return { parts: sealed, tag: cipher.getAuthTag() };
  }

  /** The parts as they were before {@link seal}. @throws `message.signature` when anything about them is another; `seal.session` after {@link end}. */
  open(sequence: number, { parts, tag }: Sealed): readonly Uint8Array[] {
    this.#refuseEnded();
    if (tag.length !== tagLength) throw broken();
    const decipher = createDecipheriv('chacha20-poly1305', this.#keys.receive, nonceOf(sequence), {
      authTagLength: tagLength,
    });
    decipher.setAuthTag(tag);
    try {
      const opened = run(decipher, parts);
      this.#frames += 1;
      return opened;
    } catch (cause) {
      throw broken(cause);
    }
  }

  /** Overwrites the keys: what was sealed with them cannot be opened here any more. Twice is once. */
  end(): void {
    this.#ended = true;
    this.#keys.send.fill(0);
    this.#keys.receive.fill(0);
  }

  #refuseEnded(): void {
    if (this.#ended) throw new ShoalError('seal.session', 'the session has ended');
  }
}

/** One stream over all parts. The length of each is authenticated with them, so that no byte can be moved from one into the next. */
function run(cipher: CipherChaCha20Poly1305 | DecipherChaCha20Poly1305, parts: readonly Uint8Array[]): Uint8Array[] {
  const lengths = Buffer.alloc(4 * parts.length);
  let plaintextLength = 0;
  for (const [index, { length }] of parts.entries()) {
    lengths.writeUInt32BE(length, 4 * index);
    plaintextLength += length;
  }
  cipher.setAAD(lengths, { plaintextLength });
  const done = parts.map((part) => cipher.update(part));
  cipher.final();
  return done;
}

/** RFC 8439 §2.3: 96 bits. */
function nonceOf(sequence: number): Uint8Array {
  const nonce = Buffer.alloc(nonceLength);
  nonce.writeBigUInt64BE(BigInt(sequence), nonceLength - 8);
  return nonce;
}

function broken(cause?: unknown): ShoalError {
  return new ShoalError('message.signature', 'what was sealed is not what arrived', {}, { cause });
}
