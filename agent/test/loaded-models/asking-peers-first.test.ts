import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelShelf } from '@shoal/agent';
import {
  FleetPass,
  type Identity,
  newIdentity,
  peerIdOf,
  ShoalError,
  sealMembership,
  seededRandom,
  silentLogger,
} from '@shoal/protocol';
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

interface AgentOptions {
  readonly uploadBytesPerSecond?: number;
  /** Of what it shows to others. */
  readonly expiresInMs?: number;
  /** Whose fleet it shows to belong to. */
  readonly joined?: Identity;
  /** Shows what it has, whatever that is worth, and looks at nothing that others show. */
  readonly isLiar?: boolean;
}

/** An agent as far as it gives and takes models: a libp2p node, a cache on the disk, what brings them together. */
async function anAgent(
  identity: Identity,
  coordinator: Identity,
  { expiresInMs = 60_000, joined = coordinator, isLiar = false, ...options }: AgentOptions = {},
) {
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'shoal-peers-'));
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const listen = { host: '127.0.0.1', port: 0 };
  const node = new Libp2pNode({ ...deps, identity, coordinator: coordinator.publicKey, listen, mdns: false });
  const pass = new FleetPass({ coordinator, device: identity.id, clock: systemClock });
  const shown = sealMembership(joined, identity.id, systemClock.nowMs() + expiresInMs);
  pass.restore(shown);
  const fleet = isLiar ? { own: () => shown, require: () => {} } : pass;
  const peers = new Libp2pBlockPeers(node, { ...deps, coordinator: coordinator.publicKey, fleet });
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
  return { node, peers, pass, path, contentOf: async () => (await shelf.resolve(name, '', never)).path };
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

  it.each([
    ['has joined another coordinator', { joined: newIdentity('coordinator', seededRandom(6)) }, 'device.unknown'],
    ['shows what has expired', { expiresInMs: -1 }, 'device.expired'],
    ['was revoked', {}, 'device.revoked'],
  ])('give nothing to one that %s, ask it for nothing, and say why', async (_, options, code) => {
    const member = await anAgent(newIdentity('device', random), coordinator);
    const other = await anAgent(newIdentity('device', random), coordinator, { ...options, isLiar: true });
    const expiresAtMs = systemClock.nowMs() + 60_000;
    member.pass.renew({
      membership: sealMembership(coordinator, peerIdOf('device', member.node.publicKey), expiresAtMs),
      revoked: code === 'device.revoked' ? [peerIdOf('device', other.node.publicKey)] : [],
      coordinatorTimeMs: systemClock.nowMs(),
    });
    let channels = 0;
    member.peers.subscribe({ onPeer: () => {}, onChannel: () => (channels += 1) });
    const targetOf = ({ node }: typeof member) => ({ publicKey: node.publicKey, addresses: node.addresses });
    const opening = (from: typeof member, to: typeof member) => {
      from.peers.add(targetOf(to));
      return from.peers.open(to.peers.idOf(to.node.publicKey), never);
    };
    await expect(opening(other, member)).rejects.toMatchObject({ code });
    await expect(opening(member, other)).rejects.toMatchObject({ code });
    expect(channels).toBe(0);
  });

  it('say nothing to others before they have joined', async () => {
    const member = await anAgent(newIdentity('device', random), coordinator);
    const early = await anAgent(newIdentity('device', random), coordinator, { expiresInMs: -1 });
    member.peers.add({ publicKey: early.node.publicKey, addresses: early.node.addresses });
    early.peers.add({ publicKey: member.node.publicKey, addresses: member.node.addresses });
    const ends = [
      member.peers.open(early.peers.idOf(early.node.publicKey), never),
      early.peers.open(member.peers.idOf(member.node.publicKey), never),
    ];
    for (const end of await Promise.allSettled(ends)) expect(end).toMatchObject({ reason: { code: 'device.expired' } });
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
