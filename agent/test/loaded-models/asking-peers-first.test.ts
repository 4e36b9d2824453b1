import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelShelf } from '@shoal/agent';
import { type Identity, newIdentity, ShoalError, seededRandom, silentLogger } from '@shoal/protocol';
import { Libp2pBlockPeers } from '@shoal/protocol/blocks';
import { Libp2pNode } from '@shoal/protocol/libp2p';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { askingPeersFirst } from '../../src/loaded-models/index.ts';
import { shareModels } from '../../src/loaded-models/sharing/index.ts';
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

/** An agent as far as it gives and takes models: a libp2p node, a cache on the disk, what brings them together. */
async function anAgent(identity: Identity, coordinator: Identity, options: { uploadBytesPerSecond?: number } = {}) {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'shoal-peers-'));
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const listen = { host: '127.0.0.1', port: 0 };
  const node = new Libp2pNode({ ...deps, identity, coordinator: coordinator.publicKey, listen, mdns: false });
  const peers = new Libp2pBlockPeers(node, coordinator.publicKey);
  const manifests = [{ ...tinyDetector, variants: [{ ...held.variant, ...file }] }];
  const sharing = shareModels({ ...deps, peers }, { cacheDirectory, manifests, ...options });
  await node.start(never);
  await sharing.service.start(never);
  onTestFinished(async () => {
    await sharing.service.stop();
    await node.stop();
    await rm(cacheDirectory, { recursive: true, force: true });
  });
  const path = join(cacheDirectory, 'files', file.sha256.slice(0, 2), file.sha256);
  // Its source is a shelf that only says what is in the cache.
  const shelf = sharing.askingFirst({
    knows: () => true,
    held: async () => [],
    resolve: async () => ({ ...held, path: (await readFile(path).catch(() => '')).toString('hex') }),
  });
  return { node, peers, path, contentOf: async () => (await shelf.resolve(name, '', never)).path };
}

describe('agents on libp2p', () => {
  const random = seededRandom(5);
  const coordinator = newIdentity('coordinator', random);
  const bytes = random.bytes(1_500_000);
  const content = Buffer.from(bytes).toString('hex');
  Object.assign(file, { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length });

  it('have a model from one of them, and pass it on', async () => {
    const [seed, second, third] = await Promise.all(
      Array.from({ length: 3 }, () => anAgent(newIdentity('device', random), coordinator)),
    );
    if (!seed || !second || !third) throw new Error('no agents');
    await mkdir(join(seed.path, '..'), { recursive: true });
    await writeFile(seed.path, bytes);
    second.peers.add({ publicKey: seed.node.publicKey, addresses: seed.node.addresses });
    third.peers.add({ publicKey: second.node.publicKey, addresses: second.node.addresses });
    expect(await second.contentOf()).toBe(content);
    // It knows only the second, which was told nothing of it; who asks twice is given it once.
    expect(await Promise.all([third.contentOf(), third.contentOf()])).toEqual([content, content]);
  });

  it('give nothing when their limit is nothing', async () => {
    const seed = await anAgent(newIdentity('device', random), coordinator, { uploadBytesPerSecond: 0 });
    const other = await anAgent(newIdentity('device', random), coordinator);
    await mkdir(join(seed.path, '..'), { recursive: true });
    await writeFile(seed.path, bytes);
    other.peers.add({ publicKey: seed.node.publicKey, addresses: seed.node.addresses });
    expect(await other.contentOf()).toBe('');
  });
});
