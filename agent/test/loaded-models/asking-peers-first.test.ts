import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelShelf } from '@shoal/agent';
import { blockFilesIn, PeerFetcher } from '@shoal/models';
import { type Identity, newIdentity, ShoalError, seededRandom, silentLogger } from '@shoal/protocol';
import { BlockExchange, Libp2pBlockPeers } from '@shoal/protocol/blocks';
import { Libp2pNode } from '@shoal/protocol/libp2p';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { askingPeersFirst } from '../../src/loaded-models/index.ts';
import { never, tinyDetector } from '../support/a-fleet.ts';

const { name } = tinyDetector;
const [variant] = tinyDetector.variants;
if (!variant) throw new Error('no variant');
const held = { manifest: tinyDetector, variant };

function aShelf() {
  return {
    knows: () => true,
    held: async () => [],
    resolve: vi.fn<ModelShelf['resolve']>(async () => ({ ...held, path: 'the file' })),
  } satisfies ModelShelf;
}

const file = { sha256: 'ab'.repeat(32), sizeBytes: 5 };

describe('a shelf that asks other agents first', () => {
  it.each([
    ['has it from them', async () => {}],
    [
      'has it from its source when they do not have it',
      async () => {
        throw new ShoalError('not-found', 'nobody has it');
      },
    ],
    [
      'has it from its source when something goes wrong on the way',
      async () => {
        throw new Error('broken');
      },
    ],
  ])('%s', async (_, fetch) => {
    const shelf = aShelf();
    const peers = { fetch: vi.fn(fetch) };
    const asking = askingPeersFirst({
      shelf,
      peers,
      fileOf: () => file,
      isHeld: async () => false,
      logger: silentLogger,
    });
    expect(await asking.resolve(name, '', never)).toMatchObject({ path: 'the file' });
    expect(peers.fetch).toHaveBeenCalledExactlyOnceWith(file, name, never);
    expect(shelf.resolve).toHaveBeenCalledOnce();
  });

  it('asks nobody for what is here, and for what nobody knows', async () => {
    const peers = { fetch: vi.fn(async () => {}) };
    const deps = { shelf: aShelf(), peers, logger: silentLogger };
    await askingPeersFirst({ ...deps, fileOf: () => file, isHeld: async () => true }).resolve(name, '', never);
    await askingPeersFirst({ ...deps, fileOf: () => undefined, isHeld: async () => false }).resolve(name, '', never);
    expect(peers.fetch).not.toHaveBeenCalled();
  });

  it('goes to no source when it is to stop', async () => {
    const shelf = aShelf();
    const stop = new AbortController();
    const peers = {
      async fetch() {
        stop.abort(new ShoalError('closed', 'stopping'));
        throw new ShoalError('aborted', 'stopped');
      },
    };
    const asking = askingPeersFirst({
      shelf,
      peers,
      fileOf: () => file,
      isHeld: async () => false,
      logger: silentLogger,
    });
    await expect(asking.resolve(name, '', stop.signal)).rejects.toMatchObject({ code: 'closed' });
    expect(shelf.resolve).not.toHaveBeenCalled();
  });
});

/** An agent as far as it gives and takes files: a libp2p node, a cache on the disk, the exchange between them. */
async function anAgent(identity: Identity, coordinator: Identity) {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'shoal-peers-'));
  const node = new Libp2pNode({
    identity,
    coordinator: coordinator.publicKey,
    clock: systemClock,
    logger: silentLogger,
    listen: { host: '127.0.0.1', port: 0 },
    mdns: false,
  });
  const peers = new Libp2pBlockPeers(node, coordinator.publicKey);
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const exchange = new BlockExchange({ ...deps, peers, store: blockFilesIn(cacheDirectory, deps) });
  await node.start(never);
  await exchange.start(never);
  onTestFinished(async () => {
    await exchange.stop();
    await node.stop();
    await rm(cacheDirectory, { recursive: true, force: true });
  });
  const pathOf = (sha256: string) => join(cacheDirectory, 'files', sha256.slice(0, 2), sha256);
  return { node, peers, exchange, pathOf, fetcher: new PeerFetcher({ ...deps, exchange }, { cacheDirectory }) };
}

describe('agents on libp2p', () => {
  it('have a file from one of them, and pass it on', async () => {
    const random = seededRandom(5);
    const coordinator = newIdentity('coordinator', random);
    const [seed, second, third] = await Promise.all(
      Array.from({ length: 3 }, () => anAgent(newIdentity('device', random), coordinator)),
    );
    if (!seed || !second || !third) throw new Error('no agents');
    const bytes = random.bytes(1_500_000);
    const wanted = { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
    await mkdir(join(seed.pathOf(wanted.sha256), '..'), { recursive: true });
    await writeFile(seed.pathOf(wanted.sha256), bytes);

    second.peers.add({ publicKey: seed.node.publicKey, addresses: seed.node.addresses });
    third.peers.add({ publicKey: second.node.publicKey, addresses: second.node.addresses });
    const progress: number[] = [];
    await second.fetcher.fetch(wanted, 'a model', {
      signal: never,
      onProgress: ({ receivedBytes }) => progress.push(receivedBytes),
    });
    expect(progress.at(-1)).toBe(bytes.length);
    expect((await readFile(second.pathOf(wanted.sha256))).equals(bytes)).toBe(true);
    // It knows only the second, which was told nothing of it.
    await Promise.all([1, 2].map(() => third.fetcher.fetch(wanted, 'a model', { signal: never })));
    expect((await readFile(third.pathOf(wanted.sha256))).equals(bytes)).toBe(true);
    expect(seed.exchange.copiesSent(wanted.sha256)).toBe(1);
    expect(second.exchange.copiesSent(wanted.sha256)).toBe(1);
  });
});
