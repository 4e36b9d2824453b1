import { fromUtf8, openMembership, sealMembership, sha256, utf8 } from '@shoal/protocol';
import { parseLibp2pAddress } from '@shoal/protocol/libp2p';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { layoutOf } from '../../src/blocks/block-file.ts';
import {
  decodeReply,
  decodeRequest,
  decodeWanted,
  encodeReply,
  encodeRequest,
} from '../../src/blocks/block-messages.ts';
import { PieceList } from '../../src/blocks/piece-list.ts';
import { decodeBlock, encodeBlock } from '../../src/link/coap/block-option.ts';
import { parseCoapAddress } from '../../src/link/coap/coap-address.ts';
import { readMultiaddrs } from '../../src/link/libp2p/address.ts';
import { FrameCutter, withLength } from '../../src/link/libp2p/frame-cutter.ts';
import { aCoordinator, aDevice } from '../support/identities.ts';

const mostFrameBytes = 300;
/** Of three pieces. */
const sizeBytes = 150_000;
const layout = layoutOf(sizeBytes);
const hashes = Buffer.concat([0, 1, 2].map((piece) => sha256(Uint8Array.of(piece))));
const { root } = new PieceList([0, 1, 2].map((piece) => hashes.subarray(piece * 32, piece * 32 + 32)));

const requests = [
  encodeRequest({ file: { sha256: new Uint8Array(32).fill(1), sizeBytes } }),
  encodeRequest({ list: {} }),
  encodeRequest({ order: { pieces: Uint8Array.of(5), allowed: 8 } }),
];
const replies = [
  encodeReply({ holdings: { root, whole: true, sparing: false } }),
  encodeReply({ holdings: { root, pieces: Uint8Array.of(3), whole: false, sparing: true } }),
  encodeReply({ list: { hashes } }),
  encodeReply({ piece: { index: 2, bytes: new Uint8Array(40) } }),
  encodeReply({ refusal: { code: 'not-found' } }),
];

/** In pieces as the first bytes say: what comes out is what was written, and no frame is longer than is taken. */
function cut(bytes: Uint8Array): void {
  const frames: Uint8Array[] = [];
  const cutter = new FrameCutter(
    () => mostFrameBytes,
    (parts) => frames.push(Buffer.concat(parts)),
  );
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const next = at + 1 + ((bytes[i % 7] ?? 0) % 61);
    cutter.push(bytes.subarray(at, next));
    at = next;
  }
  const written = Buffer.concat(frames.map(withLength));
  if (!Buffer.from(bytes).subarray(0, written.length).equals(written)) throw new Error('other frames come out');
  if (frames.some((frame) => frame.length > mostFrameBytes)) throw new Error('a frame is longer than is taken');
}

function requirePieces(pieces: Iterable<number>): void {
  for (const piece of pieces)
    if (!(piece >= 0 && piece < layout.count)) throw new Error(`piece ${piece} of ${layout.count}`);
}

const expiresAtMs = 1_767_225_600_123;
const membership = sealMembership(aCoordinator, aDevice.id, expiresAtMs);

export const linkTargets: readonly FuzzTarget[] = [
  {
    name: 'word that a device belongs to the fleet',
    form: 'protobuf',
    samples: [membership],
    refuses: ['device.unknown'],
    take(bytes) {
      const untilMs = openMembership(bytes, { coordinator: aCoordinator, device: aDevice.id });
      if (untilMs !== expiresAtMs) throw new Error('another word is believed');
    },
  },
  {
    name: 'frames of a libp2p stream',
    form: 'bytes',
    samples: [
      Buffer.concat([withLength(new Uint8Array(5)), withLength(new Uint8Array(300)), withLength(Buffer.of(1))]),
    ],
    refuses: ['message.too-large'],
    take: cut,
  },
  {
    name: 'request for blocks',
    form: 'protobuf',
    samples: requests.slice(1),
    refuses: ['message.malformed'],
    take(bytes) {
      const request = decodeRequest(bytes, layout);
      if (request.kind === 'order') requirePieces(request.pieces);
    },
  },
  {
    name: 'first request for blocks',
    form: 'protobuf',
    samples: requests.slice(0, 1),
    refuses: ['message.malformed', 'input.invalid'],
    take(bytes) {
      const file = decodeWanted(bytes);
      if (!/^[0-9a-f]{64}$/.test(file.sha256) || !(file.sizeBytes > 0)) throw new Error('a file that is none');
    },
  },
  {
    name: 'reply about blocks',
    form: 'protobuf',
    samples: replies,
    refuses: ['message.malformed'],
    take(bytes) {
      const at = bytes.length % 23;
      const reply = decodeReply([bytes.subarray(0, at), bytes.subarray(at)], layout);
      if (reply.kind === 'holdings') requirePieces(reply.holdings.pieces);
    },
  },
  {
    name: 'list of pieces',
    form: 'bytes',
    samples: [hashes],
    refuses: [],
    take(bytes) {
      if (PieceList.parse(bytes, 3, root) && !Buffer.from(bytes).equals(hashes))
        throw new Error('another list is believed');
    },
  },
  {
    name: 'block of a CoAP body',
    form: 'bytes',
    samples: [
      encodeBlock({ number: 3, more: true, sizeBytes: 1024 }),
      encodeBlock({ number: 9_000, more: false, sizeBytes: 16 }),
    ],
    refuses: [],
    take(bytes) {
      const block = decodeBlock(Buffer.from(bytes));
      if (block && !(block.sizeBytes >= 16 && block.sizeBytes <= 1024 && block.number >= 0 && block.number < 2 ** 20))
        throw new Error(`block ${block.number} of ${block.sizeBytes} bytes`);
    },
  },
  {
    name: 'address of a CoAP server',
    form: 'text',
    samples: ['coap://host', 'coap://[fe80::1]:5684/'].map(utf8),
    refuses: ['input.invalid'],
    take(bytes) {
      const { host, port } = parseCoapAddress(fromUtf8(bytes));
      if (host === '' || !(port >= 0 && port <= 65_535)) throw new Error(`port ${port} of ${host}`);
    },
  },
  {
    name: 'address of a libp2p node',
    form: 'text',
    samples: ['libp2p://host:4001', 'libp2p:mdns', '/ip4/192.168.1.2/tcp/4001', '/dns/a/tcp/1/p2p/x'].map(utf8),
    refuses: ['input.invalid'],
    take(bytes) {
      readMultiaddrs([fromUtf8(bytes)]);
      if (fromUtf8(bytes).startsWith('libp2p')) parseLibp2pAddress(fromUtf8(bytes));
    },
  },
];
