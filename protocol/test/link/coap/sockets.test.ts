import { createSocket, type Socket } from 'node:dgram';
import { type Channel, channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { seededRandom, silentLogger } from '@shoal/protocol';
import { CoapConnection, CoapServer } from '@shoal/protocol/coap';
import { systemClock } from '@shoal/protocol/real';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejectionOf } from '../../support/refusals.ts';

const created: Channel = channel('udp.socket');
const deps = { clock: systemClock, random: seededRandom(1), logger: silentLogger };
const limits = { maxHalfDone: 1, maxHalfDoneBytes: 1, halfDoneMs: 1 };
let open: Set<Socket>;

const watch = (message: unknown) => {
  const { socket } = message as { socket: Socket };
  open.add(socket);
  socket.once('close', () => open.delete(socket));
};

beforeEach(() => {
  open = new Set();
  created.subscribe(watch);
});
afterEach(() => created.unsubscribe(watch));

function aServer(host: string, port: number): CoapServer {
  return new CoapServer(deps, { host, port, limits, links: [], find: () => undefined });
}

describe('no socket is left', () => {
  it('by a server whose port is taken', async () => {
    const other = createSocket('udp4').bind(0, '127.0.0.1');
    await once(other, 'listening');
    expect(await rejectionOf(aServer('127.0.0.1', other.address().port).start())).toBe('conflict');
    expect([...open]).toEqual([other]);
    await new Promise<void>((resolve) => other.close(resolve));
  });

  it('by a server at an address that is not of this machine', async () => {
    expect(await rejectionOf(aServer('192.0.2.1', 0).start())).toBe('io.failed');
    expect(open.size).toBe(0);
  });

  it('by a server that was started and stopped, or stopped while it starts', async () => {
    const server = aServer('127.0.0.1', 0);
    await server.start();
    await server.stop();
    const hasty = aServer('127.0.0.1', 0);
    const starting = rejectionOf(hasty.start());
    await hasty.stop();
    expect(await starting).toBe('closed');
    expect(open.size).toBe(0);
  });

  it('by a connection to where no way leads', async () => {
    // Who wants to reach everybody has to say so to the system first.
    const address = { host: '255.255.255.255', port: 5683, text: 'everybody' };
    const connection = new CoapConnection(deps, {
      address,
      silenceMs: 1_000,
      maxBodyBytes: 1_000,
      onTrouble: () => {},
    });
    expect(await rejectionOf(connection.open())).toBe('net.unreachable');
    expect(open.size).toBe(0);
  });
});
