import { connect, type Socket } from 'node:net';
import type { PeerId } from '@shoal/protocol';
import type { FrameStream } from '@shoal/protocol/libp2p';
import { VirtualClock } from '@shoal/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { aDevice, ask, coordinator, echo, loopback, Nodes, targetOf, until } from './nodes.ts';

const nodes = new Nodes();
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await nodes.stop();
});

const nobody = () => false;

/** Opens TCP connections that say nothing, from an address of their own. Resolves with those that were not closed at once. */
async function mute(port: number, count: number, localAddress = '127.0.0.2'): Promise<Socket[]> {
  const opened = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', localAddress }));
  sockets.push(...opened);
  for (const socket of opened) socket.on('error', () => {}).resume();
  await Promise.all(opened.map((socket) => new Promise<void>((resolve) => socket.once('connect', resolve))));
  return opened;
}

describe('the gate of a libp2p node', () => {
  it('takes few connections from one address that say nothing, cuts them in time, and lets in who comes from another', async () => {
    const limits = { maxHandshakesPerHost: 8, newConnectionsPerHost: 1000, handshakeTimeoutMs: 1_000 };
    const server = await nodes.start(coordinator, { listen: loopback, limits });
    server.handle('/test/1', echo);
    const silent = await mute(server.port ?? 0, 50);
    const closed = silent.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
    await until(() => silent.filter((socket) => socket.destroyed).length >= 42);
    expect(server.counts).toMatchObject({ handshakes: 8, connections: 0 });
    const device = await nodes.start(aDevice());
    expect(await ask(await device.open('/test/1', targetOf(server)), 'hello')).toBe('hello');
    await Promise.all(closed);
    expect(server.counts).toMatchObject({ handshakes: 0, connections: 1 });
  });

  it('is up and lets devices in through two thousand connections that say nothing, from twenty addresses', async () => {
    const server = await nodes.start(coordinator, { listen: loopback });
    server.handle('/test/1', echo);
    const device = await nodes.start(aDevice());
    const stream = await device.open('/test/1', targetOf(server));
    let most = 0;
    for (let host = 2; host < 22; host++) {
      await mute(server.port ?? 0, 100, `127.0.0.${host}`);
      most = Math.max(most, server.counts.handshakes);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(server.limits.maxHandshakes);
    expect(await ask(stream, 'still here')).toBe('still here');
    for (const socket of sockets.splice(0)) socket.destroy();
    await until(() => server.counts.handshakes === 0);
    const late = await nodes.start(aDevice());
    expect(await ask(await late.open('/test/1', targetOf(server)), 'hello')).toBe('hello');
  });

  it('takes so many new connections a second from one address', async () => {
    const limits = { newConnectionsPerHost: 5 };
    const server = await nodes.start(coordinator, { listen: loopback, limits });
    const flood = await mute(server.port ?? 0, 30);
    await until(() => flood.filter((socket) => socket.destroyed).length >= 25);
    expect(server.counts.handshakes).toBe(5);
  });

  it('takes few strangers from one address, and any number of members', async () => {
    const members = new Set<PeerId>();
    const limits = { maxStrangersPerHost: 2 };
    const server = await nodes.start(coordinator, { listen: loopback, isMember: (id) => members.has(id), limits });
    server.handle('/test/1', echo);
    const open = async () => (await nodes.start(aDevice())).open('/test/1', targetOf(server));
    await open();
    await open();
    await expect(open()).rejects.toMatchObject({ code: 'net.unreachable' });
    const member = aDevice();
    members.add(member.id);
    await (await nodes.start(member)).open('/test/1', targetOf(server));
    expect(server.counts.strangers).toBe(2);
  });

  it('cuts a stranger that does not join in time, and not one that does', async () => {
    const clock = new VirtualClock();
    const members = new Set<PeerId>();
    const server = await nodes.start(coordinator, { listen: loopback, clock, isMember: (id) => members.has(id) });
    server.handle('/test/1', echo);
    const [stranger, newcomer] = [aDevice(), aDevice()];
    const streams: FrameStream[] = [];
    for (const each of [stranger, newcomer]) {
      streams.push(await (await nodes.start(each)).open('/test/1', targetOf(server)));
    }
    members.add(newcomer.id);
    await clock.advance(server.limits.strangerGraceMs);
    await until(() => streams[0]?.isOpen === false);
    expect(streams[1]?.isOpen).toBe(true);
    expect(server.counts).toMatchObject({ connections: 1, strangers: 0 });
  });

  it('takes no large frame of a stranger', async () => {
    const server = await nodes.start(coordinator, { listen: loopback, isMember: nobody });
    server.handle('/test/1', echo);
    const device = await nodes.start(aDevice());
    const open = () => device.open('/test/1', targetOf(server));
    const { strangerFrameBytes } = server.limits;
    expect(await ask(await open(), 'x'.repeat(strangerFrameBytes))).toHaveLength(strangerFrameBytes);
    await expect(ask(await open(), 'x'.repeat(strangerFrameBytes + 1))).rejects.toMatchObject({
      code: 'net.unreachable',
    });
  });

  it('cuts a stranger that sends much in small frames', async () => {
    const server = await nodes.start(coordinator, { listen: loopback, isMember: nobody });
    server.handle('/test/1', (stream) => stream.listen({ onFrame: () => {}, onEnd: () => {} }));
    const stream = await (await nodes.start(aDevice())).open('/test/1', targetOf(server));
    const ended = new Promise((resolve) => stream.listen({ onFrame: () => {}, onEnd: resolve }));
    const frame = new Uint8Array(server.limits.strangerFrameBytes);
    for (let sent = 0; sent <= server.limits.strangerBytes && stream.isOpen; sent += frame.length) {
      await stream.send(frame).catch(() => {});
    }
    await ended;
    await until(() => server.counts.connections === 0);
  });

  it('ends every connection of a device that is put out', async () => {
    const server = await nodes.start(coordinator, { listen: loopback });
    server.handle('/test/1', echo);
    const identity = aDevice();
    const device = await nodes.start(identity);
    const stream = await device.open('/test/1', targetOf(server));
    const ended = new Promise((resolve) => stream.listen({ onFrame: () => {}, onEnd: resolve }));
    server.cut(identity.id);
    await ended;
  });
});
