import { createSocket } from 'node:dgram';
import { isDeepStrictEqual } from 'node:util';
import { createLogger } from '@shoal/protocol';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { CoapServer } from '../../src/link/coap/coap-server.ts';
import { decodeMessage, encodeMessage, type Message, type WrittenOption } from '../../src/link/coap/message.ts';

const limits = { maxHalfDone: 4, maxHalfDoneBytes: 5_000, halfDoneMs: 1_000 };
const maxBodyBytes = 3_000;

/** Its id is that of no sample. */
const stillThere = Buffer.from('4001abcdbb2e77656c6c2d6b6e6f776e04636f7265', 'hex');

/** RFC 7252 §3: ping, GET /.well-known/core, POST /a?b with a token, POST /a of three blocks, GET /a observed, an acknowledgement, a reset. */
const datagrams = [
  '40000001',
  '40010002bb2e77656c6c2d6b6e6f776e04636f7265',
  '420200030102b16141624a62ff68656c6c6f',
  `40020004b161d10108ff${'61'.repeat(16)}`,
  `40020005b161d10118ff${'61'.repeat(16)}`,
  '410100060160516101',
  '60000007',
  '70000008',
].map((hex) => Buffer.from(hex, 'hex'));

const textPlain = 0;

/** A datagram at a server of its own, and then one that has to be answered. */
async function receive(datagram: Uint8Array): Promise<void> {
  const errors: string[] = [];
  const logger = createLogger(({ message, fields }) => errors.push(`${message} ${JSON.stringify(fields)}`), 'error');
  const echo = {
    maxBodyBytes,
    serve: ({ body }: { readonly body: Buffer }) => ({ code: '2.05', body, contentFormat: textPlain }),
    observe: (_request: unknown, accept: (answer: { readonly code: string }) => { end(): void }) =>
      accept({ code: '2.05' }).end(),
  };
  const options = { host: '127.0.0.1', port: 0, limits, links: [{ path: '/a' }], find: () => echo };
  const server = new CoapServer({ clock: systemClock, random: systemRandom, logger }, options);
  const socket = createSocket('udp4');
  try {
    await server.start();
    const answered = new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (answer) => {
        if (answer.readUInt16BE(2) === stillThere.readUInt16BE(2) && answer[1] === 0x45) resolve();
      });
    });
    socket.send(datagram, server.port, '127.0.0.1');
    socket.send(stillThere, server.port, '127.0.0.1');
    await answered;
    const { count, sizeBytes } = server.halfDone;
    if (count > limits.maxHalfDone || sizeBytes > limits.maxHalfDoneBytes)
      throw new Error(`${sizeBytes} bytes are held`);
    if (errors.length > 0) throw new Error(errors.join('; '));
  } finally {
    socket.close();
    await server.stop();
  }
}

/** What can be read can be written, in no more bytes, and is then read the same. */
function read(datagram: Buffer): void {
  const message = decodeMessage(datagram);
  if (!message) return;
  const { options: _options, ...rest } = message;
  const written = encodeMessage({ ...message, options: valuesOf(message) });
  const again = decodeMessage(written);
  const isSame = again !== undefined && isDeepStrictEqual(valuesOf(again), valuesOf(message));
  if (!isSame || written.length > datagram.length) throw new Error(`became ${written.toString('hex')}`);
  for (const [name, value] of Object.entries(rest))
    if (!isDeepStrictEqual(again[name as keyof Message], value)) throw new Error(`its ${name} changed`);
}

/** Each option with its value. */
function valuesOf({ options }: Message): WrittenOption[] {
  return [...new Set(options.numbers)].flatMap((number) =>
    options.texts(number, 'latin1').map((text) => [number, Buffer.from(text, 'latin1')] as const),
  );
}

const messageTarget: FuzzTarget = {
  name: 'CoAP message',
  form: 'bytes',
  samples: datagrams,
  refuses: [],
  take: (bytes) => read(Buffer.from(bytes)),
};

const serverTarget: FuzzTarget = {
  name: 'datagram to a CoAP server',
  form: 'bytes',
  samples: datagrams,
  refuses: [],
  cost: 60,
  // What no network carries is not sent.
  take: (bytes) => receive(bytes.subarray(0, 1_400)),
};

export const coapTargets: readonly FuzzTarget[] = [messageTarget, serverTarget];
