/** A part of a multipart body, whole. */
export interface Part {
  readonly mediaType: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

const headEnd = [13, 10, 13, 10] as const;
/** More is no picture, and no reason to keep it in memory. */
const longestHeadBytes = 4_096;
const longestBodyBytes = 4 << 20;

/**
 * Cuts a stream of bytes into the parts of a multipart body. Each part says its length, as the coordinator writes them: boundaries are not looked for
 * within pictures. Lines between a body and the next head (its boundary) are passed over.
 */
export class PartReader {
  #bytes = new Uint8Array(0);

  /** @throws when what comes is no such body */
  push(chunk: Uint8Array): Part[] {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    const parts: Part[] = [];
    let from = 0;
    for (;;) {
      const part = partAt(bytes, from);
      if (!part) break;
      parts.push(part);
      from = part.end;
    }
    this.#bytes = bytes.slice(from);
    return parts;
  }
}

function partAt(bytes: Uint8Array<ArrayBuffer>, from: number): (Part & { readonly end: number }) | undefined {
  const end = endOfHead(bytes, from);
  if (end === undefined) {
    if (bytes.length - from > longestHeadBytes) throw new Error('the head of a part is too long');
    return undefined;
  }
  const head = new TextDecoder().decode(bytes.subarray(from, end));
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN);
  if (!(length <= longestBodyBytes)) throw new Error('a part is too long, or does not say how long it is');
  if (bytes.length < end + length) return undefined;
  const mediaType = /^content-type: *([^\s;]+)/im.exec(head)?.[1] ?? '';
  return { mediaType, body: bytes.slice(end, end + length), end: end + length };
}

function endOfHead(bytes: Uint8Array, from: number): number | undefined {
  const last = Math.min(bytes.length - headEnd.length, from + longestHeadBytes);
  for (let i = from; i <= last; i++) if (headEnd.every((byte, k) => bytes[i + k] === byte)) return i + headEnd.length;
  return undefined;
}
