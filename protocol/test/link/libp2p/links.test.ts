import { type Identity, type Link, ShoalError, seededRandom, silentLogger } from '@shoal/protocol';
import {
  createLibp2pCoordinatorLink,
  createLibp2pDeviceLink,
  Libp2pNode,
  type Libp2pNodeOptions,
} from '@shoal/protocol/libp2p';
import { systemClock } from '@shoal/protocol/real';
import { type Heard, listenTo } from '@shoal/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { aDevice, coordinator, loopback } from './nodes.ts';

const never = new AbortController().signal;
const links: Link[] = [];
afterEach(async () => {
  for (const link of links.splice(0)) await link.stop();
});

interface End {
  readonly link: Link;
  readonly node: Libp2pNode;
  readonly heard: Heard;
}

const limits = { backoff: { firstMs: 5, maxMs: 20, factor: 2 }, closeGraceMs: 500, mdnsMs: 200 };

function aNode(identity: Identity, options: Partial<Libp2pNodeOptions>): Libp2pNode {
  const common = { coordinator: coordinator.publicKey, clock: systemClock, logger: silentLogger, limits };
  return new Libp2pNode({ ...common, mdns: false, identity, ...options });
}

async function started(node: Libp2pNode, link: Link): Promise<End> {
  links.push(link);
  const heard = listenTo(link);
  await link.start(never);
  return { link, node, heard };
}

function aCoordinator(options: Partial<Libp2pNodeOptions> = {}): Promise<End> {
  const node = aNode(coordinator, { listen: loopback, ...options });
  return started(node, createLibp2pCoordinatorLink({ node, logger: silentLogger }));
}

function aDeviceLink(
  identity: Identity,
  addresses: readonly string[],
  options: Partial<Libp2pNodeOptions> = {},
): Promise<End> {
  const node = aNode(identity, options);
  const random = seededRandom(3);
  const common = { clock: systemClock, random, logger: silentLogger };
  return started(node, createLibp2pDeviceLink({ ...common, node, coordinator, addresses }));
}

const addressOf = ({ node }: End) => `libp2p://127.0.0.1:${node.port}`;

describe('a libp2p link', () => {
  it('finds its coordinator without any address, by its key', async () => {
    const mdns = { port: 40_000 + (process.pid % 20_000) };
    const up = await aCoordinator({ mdns });
    const identity = aDevice();
    const down = await aDeviceLink(identity, ['libp2p:mdns'], { mdns });
    await down.heard.reachable(coordinator.id, true);
    await down.link.send(coordinator.id, Uint8Array.of(1));
    expect(await up.heard.next()).toMatchObject({ from: identity.id });
  });

  it('opens its stream again when that breaks and the connection holds', async () => {
    const up = await aCoordinator();
    const identity = aDevice();
    const down = await aDeviceLink(identity, [addressOf(up)]);
    await up.heard.reachable(identity.id, true);
    // The same device opens a second one: the first is ended by the coordinator.
    const second = await down.node.open('/shoal/link/1', { publicKey: coordinator.publicKey });
    second.listen({ onFrame: () => {}, onEnd: () => {} });
    await down.heard.reachable(coordinator.id, false);
    await down.heard.reachable(coordinator.id, true);
    await down.link.send(coordinator.id, Uint8Array.of(7));
    expect((await up.heard.next()).bytes).toEqual(Uint8Array.of(7));
    expect(up.node.counts.connections).toBe(1);
  });

  it('takes one device for reachable all the time while a new stream of it takes the place of the old', async () => {
    const up = await aCoordinator();
    const identity = aDevice();
    const down = await aDeviceLink(identity, [addressOf(up)]);
    await up.heard.reachable(identity.id, true);
    const hints: boolean[] = [];
    up.link.subscribe({ onFrame: () => {}, onPeer: (_peer, reachable) => hints.push(reachable) });
    const second = await down.node.open('/shoal/link/1', { publicKey: coordinator.publicKey });
    const ended = new Promise((resolve) => second.listen({ onFrame: () => {}, onEnd: resolve }));
    await ended;
    expect(hints).not.toContain(false);
  });

  it('carries what was said before the other end listened', async () => {
    const up = await aCoordinator();
    const identity = aDevice();
    up.link.subscribe({
      onFrame: () => {},
      onPeer: (peer, reachable) => void (reachable && up.link.send(peer, Uint8Array.of(5))),
    });
    const down = await aDeviceLink(identity, [addressOf(up)]);
    expect((await down.heard.next()).bytes).toEqual(Uint8Array.of(5));
  });

  it('is not opened to anybody but the coordinator', async () => {
    const up = await aCoordinator();
    const other = await aDeviceLink(aDevice(), [addressOf(up)], { listen: loopback });
    const stranger = aNode(aDevice(), {});
    await stranger.start(never);
    const target = { publicKey: other.node.publicKey, addresses: other.node.addresses };
    await expect(stranger.open('/shoal/link/1', target)).rejects.toBeInstanceOf(ShoalError);
    await stranger.stop();
  });

  it('refuses an address that is none', () => {
    const node = aNode(aDevice(), {});
    const common = { node, coordinator, clock: systemClock, logger: silentLogger };
    for (const address of ['libp2p://', 'libp2p://host', 'mqtt://host:1', 'libp2p:elsewhere', 'nonsense']) {
      const create = () => createLibp2pDeviceLink({ ...common, addresses: [address] });
      expect(create).toThrow(expect.objectContaining({ code: 'input.invalid' }));
    }
  });
});
