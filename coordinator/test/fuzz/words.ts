import { fromUtf8, utf8 } from '@shoal/protocol';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { JpegSplitter } from '../../src/cli/analyze/jpeg-splitter.ts';
import { readEvents } from '../../src/cli/client/read-events.ts';
import { parseRange } from '../../src/http/byte-range.ts';

const sizeBytes = 1_000;
const picture = Buffer.from('ffd8ffe000104a46494600ffd9', 'hex');

/** Pieces of 1 to 64 bytes, as the first bytes say. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const next = at + 1 + ((bytes[i % 5] ?? 0) % 64);
    yield bytes.subarray(at, next);
    at = next;
  }
}

async function readAll(bytes: Uint8Array): Promise<void> {
  const body = (async function* () {
    yield* pieces(bytes);
  })();
  for await (const { event } of readEvents(body)) if (typeof event !== 'string') throw new Error('an event of no kind');
}

function split(bytes: Uint8Array): void {
  const splitter = new JpegSplitter();
  const whole = [...pieces(bytes)].flatMap((piece) => splitter.push(piece));
  const stream = Buffer.concat(whole);
  if (!Buffer.from(bytes).subarray(0, stream.length).equals(stream)) throw new Error('the pictures are not the stream');
  for (const each of whole) if (!Buffer.from(each).toString('hex').endsWith('ffd9')) throw new Error('half a picture');
}

export const wordTargets: readonly FuzzTarget[] = [
  {
    name: 'range of bytes',
    form: 'text',
    samples: ['bytes=0-99', 'bytes=900-', 'bytes=-5', 'bytes=0-0,5-9'].map(utf8),
    refuses: ['input.invalid'],
    take(bytes) {
      const { offset, length } = parseRange(fromUtf8(bytes), sizeBytes) ?? { offset: 0, length: 1 };
      const fits = Number.isInteger(offset) && offset >= 0 && length >= 1 && offset + length <= sizeBytes;
      if (!fits) throw new Error(`${length} bytes from ${offset}`);
    },
  },
  {
    name: 'events of a server',
    form: 'text',
    samples: [utf8('event: result\ndata: {"a":1}\n\n: hello\n\ndata: [\ndata: 1]\r\n\r\n')],
    refuses: ['message.malformed', 'message.too-large'],
    cost: 2,
    take: readAll,
  },
  {
    name: 'pictures one after the other',
    form: 'bytes',
    samples: [Buffer.concat([picture, picture]), picture],
    refuses: ['input.too-large'],
    take: split,
  },
];
