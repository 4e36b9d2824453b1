/** What of `node:buffer` the rules of proofs use. */

/** Whether the bytes are text, by the encoding's own rules. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

type Encoding = 'utf8' | 'base64' | 'base64url' | 'hex';

/** What of Node's `Buffer` the protocol's small functions for bytes use, and no more. */
export class Buffer extends Uint8Array {
  static override from(source: unknown, second?: unknown, third?: unknown): Buffer {
    if (typeof source === 'string') return wrapped(bytesOf(source, second as Encoding | undefined));
    if (source instanceof ArrayBuffer)
      return new Buffer(source, second as number | undefined, third as number | undefined);
    return wrapped(Uint8Array.from(source as ArrayLike<number>));
  }

  static concat(parts: readonly Uint8Array[]): Buffer {
    const all = new Buffer(parts.reduce((sum, { length }) => sum + length, 0));
    let offset = 0;
    for (const part of parts) {
      all.set(part, offset);
      offset += part.length;
    }
    return all;
  }

  static byteLength(text: string): number {
    return new TextEncoder().encode(text).length;
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, i) => byte === other[i]);
  }

  override toString(encoding: Encoding = 'utf8'): string {
    switch (encoding) {
      case 'hex':
        return Array.from(this, (byte) => byte.toString(16).padStart(2, '0')).join('');
      case 'base64':
        return base64(this);
      case 'base64url':
        return base64(this).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
      case 'utf8':
        return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this);
    }
  }
}

function wrapped(bytes: Uint8Array): Buffer {
  return new Buffer(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

function bytesOf(text: string, encoding: Encoding = 'utf8'): Uint8Array {
  switch (encoding) {
    case 'utf8':
      return new TextEncoder().encode(text);
    case 'hex':
      return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    case 'base64':
    case 'base64url':
      return fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
  }
}

/** Lenient, as Node is: whoever wants the one spelling writes the bytes again and compares. */
function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text.replace(/[^A-Za-z0-9+/]/g, '')), (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
