import { GrowingBytes } from '../../bytes/index.ts';
import { ShoalError } from '../../errors/index.ts';
import { type FixedHeader, readFixedHeader } from './packet-bytes.ts';

const nothing = Buffer.alloc(0);

/** Largest body of a packet, bytes: of the first one of a connection (before anybody has shown who it is), and of all others. */
export interface PacketLimits {
  readonly firstBytes: number;
  readonly laterBytes: number;
}

/**
 * Cuts a stream of bytes where packets end, and looks at the length that a packet announces before any of it is kept: so a peer can make this
 * end hold one packet of the allowed size and no more.
 */
export class PacketFramer {
  readonly #limits: PacketLimits;
  #whole = 0;
  /** Of one unfinished packet; `undefined` while there is none: connections are many. */
  #held: GrowingBytes | undefined;
  /** Bytes until there can be something new to say. */
  #missing = 0;

  constructor(limits: PacketLimits) {
    this.#limits = limits;
  }

  /** Bytes of an unfinished packet that are held. */
  get heldBytes(): number {
    return this.#held?.length ?? 0;
  }

  /**
   * Takes what was received, gives all whole packets (without copying when they came in one piece); may be empty.
   * @throws `message.too-large`, `message.malformed`: the connection must be cut.
   */
  push(chunk: Buffer): Buffer {
    if (chunk.length < this.#missing) {
      this.#missing -= chunk.length;
      this.#hold(chunk);
      return nothing;
    }
    const bytes = this.#held ? joined(this.#held, chunk) : chunk;
    this.#held = undefined;
    this.#missing = 0;
    const end = this.#endOfWholePackets(bytes);
    if (end < bytes.length) this.#hold(bytes.subarray(end));
    return end === bytes.length ? bytes : bytes.subarray(0, end);
  }

  #endOfWholePackets(bytes: Buffer): number {
    for (let at = 0; at < bytes.length; ) {
      const header = readFixedHeader(bytes, at);
      if (header === undefined) return at;
      this.#check(header);
      const end = header.bodyAt + header.bodyBytes;
      if (end > bytes.length) {
        this.#missing = end - bytes.length;
        return at;
      }
      this.#whole += 1;
      at = end;
    }
    return bytes.length;
  }

  #check({ bodyBytes }: FixedHeader): void {
    const limit = this.#whole === 0 ? this.#limits.firstBytes : this.#limits.laterBytes;
    if (bodyBytes > limit) {
      throw new ShoalError('message.too-large', `a packet of ${bodyBytes} bytes was announced; ${limit} are taken`, {
        sizeBytes: bodyBytes,
        limitBytes: limit,
      });
    }
  }

  #hold(piece: Buffer): void {
    this.#held ??= new GrowingBytes();
    const mostBytes = this.#missing > 0 ? this.#held.length + piece.length + this.#missing : undefined;
    this.#held.push(piece, mostBytes);
  }
}

function joined(held: GrowingBytes, chunk: Buffer): Buffer {
  held.push(chunk, held.length + chunk.length);
  return held.take();
}
