// An agent that does nothing but fetch files from others and give them: `block-agent.mjs FOLDER SEED`, told what to do over its channel. Plain JavaScript, as an
// installed agent is: a compiler in its memory would be collected again and again with the rest.
import { rm } from 'node:fs/promises';
import { blockFilesIn } from '@shoal/models';
import {
  FleetPass,
  identityFromSeed,
  newIdentity,
  sealMembership,
  seededRandom,
  sha256,
  silentLogger,
} from '@shoal/protocol';
import { BlockExchange, Libp2pBlockPeers } from '@shoal/protocol/blocks';
import { Libp2pNode } from '@shoal/protocol/libp2p';
import { systemClock, systemRandom } from '@shoal/protocol/real';

const [folder = '', seed = ''] = process.argv.slice(2);
const coordinator = newIdentity('coordinator', seededRandom(1));
const identity = identityFromSeed('device', sha256(seed));
const node = new Libp2pNode({
  identity,
  coordinator: coordinator.publicKey,
  clock: systemClock,
  logger: silentLogger,
  listen: { host: '127.0.0.1', port: 0 },
  mdns: false,
});
const { signal } = new AbortController();
const pass = new FleetPass({ coordinator, device: identity.id, clock: systemClock });
pass.restore(sealMembership(coordinator, identity.id, systemClock.nowMs() + 3_600_000));
const peers = new Libp2pBlockPeers(node, {
  coordinator: coordinator.publicKey,
  fleet: pass,
  clock: systemClock,
  logger: silentLogger,
});
await node.start(signal);
let exchange = await newExchange();
process.send?.({ key: Buffer.from(identity.publicKey).toString('hex'), addresses: node.addresses });

process.on('message', (message) => {
  answer(message).then(
    (reply) => process.send?.(reply),
    (error) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

async function answer(message) {
  switch (message.kind) {
    case 'meet':
      for (const { key, addresses } of message.others) {
        const target = { publicKey: Buffer.from(key, 'hex'), addresses };
        peers.add(target);
        // The fleet knows each other before anybody fetches: a round trip to each is no part of what is measured.
        (await peers.open(peers.idOf(target.publicKey), signal)).close();
      }
      return {};
    case 'fetch':
      await exchange.fetch(message.file, { signal });
      return {};
    case 'copies':
      return { copies: exchange.copiesSent(message.file.sha256) };
    case 'forget':
      await exchange.stop();
      await rm(`${folder}/files/${message.file.sha256.slice(0, 2)}/${message.file.sha256}`, { force: true });
      exchange = await newExchange();
      return {};
    default:
      throw new Error(`an agent of this benchmark cannot ${message.kind}`);
  }
}

async function newExchange() {
  const store = blockFilesIn(folder, { random: systemRandom });
  const made = new BlockExchange(
    { peers, store, clock: systemClock, random: systemRandom, logger: silentLogger },
    { uploads: { bytesPerSecond: Number.POSITIVE_INFINITY, atOnce: 4 } },
  );
  await made.start(signal);
  return made;
}
