import { createSocket } from 'node:dgram';
import { isShoalError, seededRandom } from '@shoal/protocol';
import { CoapConnection } from '@shoal/protocol/coap';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { afterEach, describe, expect, it } from 'vitest';
import { rejectionOf } from '../../support/refusals.ts';

const real = { clock: systemClock, random: systemRandom };
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that does exactly what a test tells it to: what it answers to each datagram. */
async function aScriptedServer(answers: (request: Buffer, count: number) => readonly Buffer[]) {
  const socket = createSocket('udp4');
  const requests: Buffer[] = [];
  socket.on('message', (message, { port }) => {
    // A reset: the package does not know any more what was answered twice.
    if (((message[0] ?? 0) & 0x30) === 0x30) return;
    for (const answer of answers(message, requests.push(message))) socket.send(answer, port);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closers.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  const connection = new CoapConnection(real, {
    address: { host: '127.0.0.1', port: socket.address().port, text: 'the server' },
    silenceMs: 5_000,
    maxBodyBytes: 5_000,
    onTrouble: () => {},
  });
  await connection.open();
  closers.push(() => connection.close());
  return { connection, requests };
}

/** An acknowledgement of a request, with a code, options as they are written, and a payload. */
function ack(request: Buffer, code: number, options = '', payload = Buffer.alloc(0)): Buffer {
  const tokenBytes = (request[0] ?? 0) & 15;
  const header = Buffer.of(0x60 | tokenBytes, code, request[2] ?? 0, request[3] ?? 0);
  const rest = payload.length > 0 ? [Buffer.of(0xff), payload] : [];
  return Buffer.concat([header, request.subarray(4, 4 + tokenBytes), Buffer.from(options, 'hex'), ...rest]);
}

const content = 0x45;
const get = { method: 'GET', path: '/x' } as const;

describe('a request over CoAP', () => {
  it('is sent again, the same, until it is answered, and the next one waits for that (NSTART = 1)', async () => {
    const { connection, requests } = await aScriptedServer((request, count) =>
      count < 2 ? [] : [ack(request, content)],
    );
    const answers = await Promise.all([get, get, get].map((request) => connection.request(request)));
    expect(answers.map(({ code }) => code)).toEqual(['2.05', '2.05', '2.05']);
    expect(requests.length).toBe(4);
    expect(requests[1]?.toString('hex')).toBe(requests[0]?.toString('hex'));
  });

  it('fails when nobody answers in time, and when the connection is closed', async () => {
    const { connection } = await aScriptedServer(() => []);
    expect(await rejectionOf(connection.request({ ...get, timeoutMs: 20 }))).toBe('net.unreachable');
    const open = connection.request(get);
    await connection.close();
    expect(await rejectionOf(open)).toBe('net.unreachable');
  });

  it('waits for its turn with so many others, and no more', async () => {
    const { connection } = await aScriptedServer(() => []);
    const asked = Array.from({ length: 66 }, () => rejectionOf(connection.request(get)));
    expect(await asked[65]).toBe('queue.full');
    await connection.close();
    expect(new Set(await Promise.all(asked.slice(0, 65)))).toEqual(new Set(['net.unreachable']));
  });

  it('takes a block that comes twice once, and no body above its limit', async () => {
    const block = (letter: string) => Buffer.alloc(16, letter);
    // Block2 of 16 bytes: d10a = delta 13+10 = 23, one byte.
    const { connection } = await aScriptedServer((request, count) => {
      const [first, again, last] = [
        ack(request, content, 'd10a08', block('a')),
        ack(request, content, 'd10a18', block('b')),
        ack(request, content, 'd10a20', block('c')),
      ];
      return (
        [
          [first, first],
          [again, again],
          [last, last],
        ][count - 1] ?? []
      );
    });
    expect((await connection.request(get)).payload.toString()).toBe('a'.repeat(16) + 'b'.repeat(16) + 'c'.repeat(16));

    // Size2 of 65,536: delta 5 behind Block2, three bytes.
    const large = await aScriptedServer((request) => [ack(request, content, 'd10a0853010000', block('a'))]);
    expect(await rejectionOf(large.connection.request(get))).toBe('message.too-large');
    expect(large.requests.length).toBe(1);
  });

  it('is not answered by a block that was not asked for', async () => {
    const { connection } = await aScriptedServer((request, count) => [
      ack(request, content, count === 1 ? 'd10a08' : 'd10a38', Buffer.alloc(16)),
    ]);
    expect(await rejectionOf(connection.request(get))).toBe('message.malformed');
  });

  it('may be answered with anything', async () => {
    const random = seededRandom(12);
    const { connection } = await aScriptedServer((request) => {
      const rest = Buffer.from(random.bytes(Math.floor(random.next() * 60)));
      const answer = Buffer.concat([ack(request, Math.floor(random.next() * 256)), rest]);
      if (random.next() < 0.3) answer[0] = Math.floor(random.next() * 256);
      return [answer, rest];
    });
    for (let i = 0; i < 300; i++) {
      const outcome = await connection.request({ ...get, timeoutMs: 20 }).catch((error: unknown) => error);
      expect(isShoalError(outcome) || typeof (outcome as { code?: unknown }).code === 'string').toBe(true);
    }
  });
});
