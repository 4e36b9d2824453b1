import {
  decodeJoinToken,
  encodeJoinToken,
  fromUtf8,
  makeKeyProof,
  readKeyProof,
  redactSource,
  redactText,
  schemeOfSource,
  sha256,
  toBase64Url,
  utf8,
} from '@shoal/protocol';
import { PacketFramer, parseBrokerAddress, parseTopic, topicsOf } from '@shoal/protocol/mqtt';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { aCoordinator, aDevice, anotherDevice } from '../support/identities.ts';

const token = encodeJoinToken({
  addresses: ['mqtt://192.168.1.5:1883', 'mqtts://shoal.example:8883'],
  coordinator: aCoordinator,
  tokenId: 'tok_1',
  secret: new Uint8Array(16).fill(7),
});
const tokenContent = Buffer.from(token.slice('shoal1_'.length), 'base64url').subarray(0, -4);

const proofs = [aDevice, anotherDevice].map(
  (device) => `${device.id}\n${makeKeyProof('shoal-mqtt-v1', device, 1_767_225_600_000)}`,
);

const sources = [
  'rtsp://user:secret-word@camera.lan:554/stream1?profile=main&token=secret-word',
  'http://camera/video.mjpg?user=admin&pwd=secret-word',
  'rtsp://us%40er:secret%2Dword@[fe80::1]/a',
  '/videos/garden.mp4',
];

const streams = [
  Buffer.from('101000044d5154540402003c00047465737430070003612f6201020000c000e000', 'hex'),
  Buffer.concat([Buffer.from('c000308001000161', 'hex'), Buffer.alloc(125), Buffer.from('d000', 'hex')]),
];

const text = (bytes: Uint8Array) => fromUtf8(bytes);
const limits = { firstBytes: 100, laterBytes: 1_000 };

/** Cut as its first bytes say: what comes out is what went in, in order, and only an allowed packet is held. */
function frame(bytes: Uint8Array): void {
  const framer = new PacketFramer(limits);
  const stream = Buffer.from(bytes);
  const out: Buffer[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const next = at + 1 + ((stream[i % 4] ?? 0) % 97);
    out.push(Buffer.from(framer.push(stream.subarray(at, next))));
    at = next;
  }
  const whole = Buffer.concat(out);
  if (whole.length + framer.heldBytes !== stream.length || !stream.subarray(0, whole.length).equals(whole))
    throw new Error('the stream that comes out is another one');
  if (framer.heldBytes > limits.laterBytes + 5) throw new Error(`${framer.heldBytes} bytes are held`);
}

/** A source as it is shown does not change when it is shown again. */
function redact(bytes: Uint8Array): void {
  const source = text(bytes);
  const shown = redactSource(source);
  if (redactSource(shown) !== shown) throw new Error('shown again it is another one');
  redactText(`ffmpeg: ${source}: Invalid data`, source);
  schemeOfSource(source);
}

export const wordTargets: readonly FuzzTarget[] = [
  {
    name: 'join token',
    form: 'text',
    samples: [utf8(token)],
    refuses: ['token.invalid'],
    take(bytes) {
      decodeJoinToken(text(bytes));
      if (text(bytes).trim() !== token) throw new Error('a token that was changed is taken');
    },
  },
  {
    name: 'join token with the right checksum',
    form: 'json',
    samples: [tokenContent],
    refuses: ['token.invalid'],
    take(bytes) {
      const word = `shoal1_${toBase64Url(Buffer.concat([bytes, sha256(bytes).subarray(0, 4)]))}`;
      const { secret, addresses } = decodeJoinToken(word);
      if (secret.length !== 16 || addresses.length === 0) throw new Error('half a token is taken');
    },
  },
  {
    name: 'key proof',
    form: 'text',
    samples: proofs.map(utf8),
    refuses: [],
    take(bytes) {
      const [username = '', ...rest] = text(bytes).split('\n');
      const password = rest.join('\n');
      if (readKeyProof('shoal-mqtt-v1', username, password) && !proofs.includes(`${username}\n${password}`))
        throw new Error('a proof that was changed proves something');
    },
  },
  {
    name: 'topic',
    form: 'text',
    samples: Object.values(topicsOf('shoal', aDevice.id)).map(utf8),
    refuses: [],
    take(bytes) {
      const parsed = parseTopic('shoal', text(bytes));
      if (parsed && topicsOf('shoal', parsed.device)[parsed.kind] !== text(bytes))
        throw new Error('it is another topic');
    },
  },
  {
    name: 'address of a broker',
    form: 'text',
    samples: ['mqtt://user:secret-word@host:1883', 'mqtts://[::1]', 'tcp://h:1'].map(utf8),
    refuses: ['input.invalid'],
    take(bytes) {
      const { port, password = '', text: shown } = parseBrokerAddress(text(bytes));
      if (!(port >= 0 && port <= 65_535)) throw new Error(`port ${port}`);
      if (password.includes('secret-word') && shown.includes('secret-word')) throw new Error('the password is shown');
    },
  },
  { name: 'source of a camera', form: 'text', samples: sources.map(utf8), refuses: [], take: redact },
  {
    name: 'stream of MQTT packets',
    form: 'bytes',
    samples: streams,
    refuses: ['message.too-large', 'message.malformed'],
    take: frame,
  },
];
