import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Link, newIdentity, type PeerId, seededRandom, silentLogger } from '@shoal/protocol';
import { createLibp2pCoordinatorLink, createLibp2pDeviceLink, Libp2pNode } from '@shoal/protocol/libp2p';
import { systemClock } from '@shoal/protocol/real';
import { createLibp2p } from 'libp2p';

/** One frame there and one back, over a link and over what it stands on. */
export interface RoundTrips {
  link(payload: Uint8Array): Promise<void>;
  bare(payload: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

const loopback = { host: '127.0.0.1', port: 0 };

export async function libp2pRoundTrips(): Promise<RoundTrips> {
  const [overLink, bare] = [await openLink(), await openBare()];
  return {
    link: overLink.ask,
    bare: bare.ask,
    async close() {
      await overLink.close();
      await bare.close();
    },
  };
}

interface Asked {
  ask(payload: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

async function openLink(): Promise<Asked> {
  const random = seededRandom(1);
  const coordinator = newIdentity('coordinator', random);
  const identity = newIdentity('device', random);
  const common = { clock: systemClock, logger: silentLogger };
  const shared = { ...common, coordinator: coordinator.publicKey, mdns: false } as const;
  const server = new Libp2pNode({ ...shared, identity: coordinator, listen: loopback });
  const up = createLibp2pCoordinatorLink({ node: server, logger: silentLogger });
  up.subscribe({ onFrame: (frame, from) => void up.send(from, frame) });
  await up.start(new AbortController().signal);
  const addresses = [`libp2p://127.0.0.1:${server.port}`];
  const down = createLibp2pDeviceLink({
    ...common,
    node: new Libp2pNode({ ...shared, identity }),
    coordinator,
    addresses,
  });
  const connected = reachable(down, coordinator.id);
  await down.start(new AbortController().signal);
  await connected;
  let answered = () => {};
  down.subscribe({ onFrame: () => answered() });
  return {
    ask: (payload) =>
      new Promise((resolve, reject) => {
        answered = resolve;
        down.send(coordinator.id, payload).catch(reject);
      }),
    async close() {
      await down.stop();
      await up.stop();
    },
  };
}

function reachable(link: Link, peer: PeerId): Promise<void> {
  return new Promise((resolve) => {
    link.subscribe({
      onFrame: () => {},
      onPeer: (who, isReachable) => {
        if (who === peer && isReachable) resolve();
      },
    });
  });
}

/** Two nodes with the same transport, and a stream that is kept open: a round is over when as many bytes have come back. */
async function openBare(): Promise<Asked> {
  const make = (listen: string[]) =>
    createLibp2p({
      addresses: { listen },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    });
  const server = await make(['/ip4/127.0.0.1/tcp/0']);
  const client = await make([]);
  await server.handle('/echo/1', (stream) => {
    stream.addEventListener('message', ({ data }) => stream.send(data));
  });
  const stream = await client.dialProtocol(server.getMultiaddrs(), '/echo/1');
  let missing = 0;
  let answered = () => {};
  stream.addEventListener('message', ({ data }) => {
    missing -= data.byteLength;
    if (missing <= 0) answered();
  });
  return {
    ask: (payload) =>
      new Promise((resolve) => {
        answered = resolve;
        missing = payload.length;
        stream.send(payload);
      }),
    async close() {
      await client.stop();
      await server.stop();
    },
  };
}
