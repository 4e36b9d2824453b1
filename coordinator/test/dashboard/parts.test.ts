import { describe, expect, test } from 'vitest';
import { PartReader } from '../../dashboard/src/data/parts.ts';

const part = (mediaType: string, body: Uint8Array) =>
  Buffer.concat([
    Buffer.from(`\r\ncontent-type: ${mediaType}\r\ncontent-length: ${body.length}\r\n\r\n`),
    body,
    Buffer.from('\r\n--shoal-picture'),
  ]);

/** Looks like a head, a boundary and the end of one: a picture may hold any bytes. */
const nasty = Buffer.from('\r\n\r\ncontent-length: 3\r\n\r\n--shoal-picture\r\n\r\n');
const stream = Buffer.concat([
  Buffer.from('--shoal-picture'),
  part('application/json', Buffer.from('{"camera":"door"}')),
  part('image/jpeg', nasty),
  part('image/jpeg', new Uint8Array()),
]);

describe('parts of a stream of pictures', () => {
  test.each([1, 2, 3, 7, 64, 10_000])('are the same however they are cut: %i bytes at a time', (size) => {
    const reader = new PartReader();
    const parts = [];
    for (let from = 0; from < stream.length; from += size)
      parts.push(...reader.push(stream.subarray(from, from + size)));
    expect(parts.map(({ mediaType }) => mediaType)).toEqual(['application/json', 'image/jpeg', 'image/jpeg']);
    expect(parts.map(({ body }) => Buffer.from(body))).toEqual([
      Buffer.from('{"camera":"door"}'),
      nasty,
      Buffer.alloc(0),
    ]);
  });

  test.each([
    ['a head without an end', Buffer.alloc(5_000, 'a')],
    ['no length', Buffer.from('content-type: image/jpeg\r\n\r\n')],
    ['a length that is too much', Buffer.from('content-length: 99999999\r\n\r\n')],
  ])('are refused with %s', (_what, bytes) => {
    expect(() => new PartReader().push(bytes)).toThrow(/part/);
  });
});
