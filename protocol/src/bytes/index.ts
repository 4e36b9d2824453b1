import { hash } from 'node:crypto';

export { GrowingBytes } from './growing-bytes.ts';
export { joined, lengthOf } from './joined.ts';

/** SHA-256, 32 bytes. */
export function sha256(bytes: Uint8Array | string): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

/** SHA-256 as 64 lower-case hex digits: how a blob, a model file and a result are named everywhere. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return hash('sha256', bytes, 'hex');
}

export function toHex(bytes: Uint8Array): string {
  return view(bytes).toString('hex');
}

/** @returns `undefined` when the text is not lower-case hex of whole bytes. */
export function fromHex(text: string): Uint8Array | undefined {
  if (!/^([0-9a-f]{2})*$/.test(text)) return undefined;
  return Buffer.from(text, 'hex');
}

export function toBase64(bytes: Uint8Array): string {
  return view(bytes).toString('base64');
}

export function toBase64Url(bytes: Uint8Array): string {
  return view(bytes).toString('base64url');
}

/** Strict: only the one canonical spelling of the bytes is accepted, so that no flipped bit goes unseen. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

export function fromBase64Url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && view(a).equals(b);
}

export function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

export function fromUtf8(bytes: Uint8Array): string {
  return view(bytes).toString('utf8');
}

const base32Alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 §6 base 32, lower case, without padding. */
export function toBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += base32Alphabet.charAt((value >> bits) & 31);
    }
  }
  if (bits > 0) text += base32Alphabet.charAt((value << (5 - bits)) & 31);
  return text;
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
