import type { PeerId } from '@shoal/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { aDevice, ask, coordinator, echo, loopback, Nodes, targetOf, until } from './nodes.ts';

const nodes = new Nodes();
afterEach(() => nodes.stop());

describe('a libp2p node', () => {
  it('has the identity of its Shoal key, and knows by it who is at the other end', async () => {
    const identity = aDevice();
    const server = await nodes.start(coordinator, { listen: loopback });
    const from = new Promise<PeerId>((resolve) => server.handle('/test/1', ({ remote }) => resolve(remote.id)));
    const device = await nodes.start(identity);
    const stream = await device.open('/test/1', targetOf(server));
    expect(stream.remote).toEqual({ id: coordinator.id, publicKey: coordinator.publicKey, relayed: false });
    expect(await from).toBe(identity.id);
  });

  it('does not take one for a peer who answers at its address with another key', async () => {
    const impostor = await nodes.start(aDevice(), { listen: loopback });
    impostor.handle('/test/1', echo);
    const device = await nodes.start(aDevice());
    const target = { publicKey: coordinator.publicKey, addresses: impostor.addresses };
    await expect(device.open('/test/1', target)).rejects.toMatchObject({ code: 'net.unreachable' });
  });

  it('finds a peer of this network by mDNS, with nothing but its key', async () => {
    const mdns = { port: 20_000 + (process.pid % 20_000) };
    const limits = { mdnsMs: 200 };
    const server = await nodes.start(coordinator, { listen: loopback, mdns, limits });
    server.handle('/test/1', echo);
    const device = await nodes.start(aDevice(), { mdns, limits });
    await new Promise<void>((resolve) => {
      device.onFound((key) => Buffer.from(key).equals(coordinator.publicKey) && resolve());
    });
    const stream = await device.open('/test/1', { publicKey: coordinator.publicKey });
    expect(await ask(stream, 'hello')).toBe('hello');
  });

  it('hears what a device says of itself, also when it said so before', async () => {
    const server = await nodes.start(coordinator, { listen: loopback });
    server.handle('/test/1', echo);
    const heard = new Promise<unknown>((resolve) =>
      server.onAdvert((peer, advert) => resolve({ peer, advert: Buffer.from(advert).toString() })),
    );
    const identity = aDevice();
    const device = await nodes.start(identity);
    device.advertise(Buffer.from('8 cores'));
    await device.open('/test/1', targetOf(server));
    expect(await heard).toEqual({ peer: identity.id, advert: '8 cores' });
  });
});

describe('a device that nobody can dial', () => {
  it('is reached by another through the coordinator, encrypted from end to end', async () => {
    const server = await nodes.start(coordinator, { listen: loopback });
    server.handle('/test/1', echo);
    const hidden = await nodes.start(aDevice());
    hidden.handle('/blocks/1', echo);
    await hidden.open('/test/1', targetOf(server));
    await until(() => hidden.addresses.some((address) => address.includes('/p2p-circuit')));
    const other = await nodes.start(aDevice());
    await other.open('/test/1', targetOf(server));
    const stream = await other.open('/blocks/1', { publicKey: hidden.publicKey });
    expect(stream.remote).toMatchObject({ publicKey: hidden.publicKey, relayed: true });
    expect(await ask(stream, 'through the relay')).toBe('through the relay');
  });

  it('is reached through nobody when it has not joined', async () => {
    const server = await nodes.start(coordinator, {
      listen: loopback,
      isMember: (id) => id === other.id,
      limits: { handshakeTimeoutMs: 500 },
    });
    server.handle('/test/1', echo);
    const other = aDevice();
    const stranger = await nodes.start(aDevice());
    await stranger.open('/test/1', targetOf(server));
    const member = await nodes.start(other);
    await member.open('/test/1', targetOf(server));
    await until(() => member.addresses.some((address) => address.includes('/p2p-circuit')));
    const dialled = member.open('/test/1', { publicKey: stranger.publicKey });
    await expect(dialled).rejects.toMatchObject({ code: 'net.unreachable' });
    const back = stranger.open('/test/1', { publicKey: member.publicKey });
    await expect(back).rejects.toMatchObject({ code: 'net.unreachable' });
  });

  it('gets its place at the relay once it has joined, although it asked before', async () => {
    const members = new Set<PeerId>();
    const server = await nodes.start(coordinator, { listen: loopback, isMember: (id) => members.has(id) });
    const hello = new Promise<PeerId>((resolve) => {
      server.handle('/test/1', (stream) => {
        echo(stream);
        resolve(stream.remote.id);
      });
    });
    const newcomer = await nodes.start(aDevice());
    await newcomer.open('/test/1', targetOf(server));
    members.add(await hello);
    server.heard(newcomer.publicKey);
    await until(() => newcomer.addresses.some((address) => address.includes('/p2p-circuit')));
  });
});
