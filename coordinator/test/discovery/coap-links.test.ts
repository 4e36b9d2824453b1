import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { readLinks, repliesTo } from '../../src/discovery/real/coap-links.ts';

/** A server that answers each request with an acknowledgement of 2.05 and whatever options and payload it is given. */
async function aServer(answer: (request: Buffer, count: number) => Buffer | undefined) {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let count = 0;
  socket.on('message', (request, from) => {
    const rest = answer(request, count++);
    if (!rest) return;
    const tokenBytes = (request[0] ?? 0) & 0xf;
    const head = Buffer.from([0x60 | tokenBytes, 0x45, request[2] ?? 0, request[3] ?? 0]);
    socket.send(Buffer.concat([head, request.subarray(4, 4 + tokenBytes), rest]), from.port, from.address);
  });
  return {
    address: { address: '127.0.0.1', port: socket.address().port },
    count: () => count,
    [Symbol.asyncDispose]: async () => void socket.close(),
  };
}

const linkFormat = Buffer.from([0xc1, 40]);
const payload = (text: string | Buffer) => Buffer.concat([Buffer.of(0xff), Buffer.from(text)]);
/** Block2 (RFC 7959 §2.2) in 1024 bytes, after Content-Format. */
const block = (number: number, more: boolean) => {
  const value = (number << 4) | (more ? 8 : 0) | 6;
  return Buffer.from([0xb3, value >> 16, (value >> 8) & 0xff, value & 0xff]);
};
const never = new AbortController().signal;

describe('the resources of a CoAP server', () => {
  test('are read block by block', async () => {
    await using server = await aServer((_, count) =>
      Buffer.concat([linkFormat, block(count, count < 2), payload('x'.repeat(count < 2 ? 1_024 : 10))]),
    );
    expect(await readLinks(server.address, never)).toBe('x'.repeat(2_058));
  });

  test('that have no end are not read to the end', async () => {
    await using server = await aServer((_, count) =>
      Buffer.concat([linkFormat, block(count, true), payload('x'.repeat(1_024))]),
    );
    await expect(readLinks(server.address, never)).rejects.toMatchObject({ code: 'message.too-large' });
    expect(server.count()).toBeLessThan(300);
  });

  test('that make the package throw end the talk, and not the process', async () => {
    // Block1 without a value: "Invalid block option buffer length", out of an event of the socket.
    await using server = await aServer(() => Buffer.concat([Buffer.from([0xd0, 27 - 13]), payload('x')]));
    await expect(readLinks(server.address, never)).rejects.toMatchObject({ code: 'message.malformed' });
  });

  test('are not waited for any more when nobody wants them', async () => {
    const gone = new AbortController();
    await using server = await aServer(() => {
      gone.abort();
      return undefined;
    });
    await expect(readLinks(server.address, gone.signal)).rejects.toMatchObject({ code: 'net.unreachable' });
  });

  test('are asked only of who knows the token of the question', () => {
    const token = Buffer.from('12345678');
    const answer = Buffer.concat([Buffer.from([0x58, 0x45, 0, 1]), token, Buffer.of(0xff)]);
    expect(repliesTo(answer, token)).toBe(true);
    expect(repliesTo(answer, Buffer.from('12345679'))).toBe(false);
    expect(repliesTo(Buffer.from([0x50, 0x45, 0, 1]), token)).toBe(false);
    expect(repliesTo(Buffer.alloc(0), token)).toBe(false);
  });
});
