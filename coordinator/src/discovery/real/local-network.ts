import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { type Logger, type Random, ShoalError } from '@shoal/protocol';
import type { Conversation, Group, LocalNetwork } from '../index.ts';
import { callService } from './call-service.ts';

const mostInterfaces = 16;
/** Those that are asked for all that they have. */
const mostServers = 128;

export interface LocalNetworkDeps {
  readonly random: Random;
  readonly logger: Logger;
  /** The addresses of the interfaces to ask from. Left out: all that have one of IPv4. */
  readonly interfaces?: readonly string[];
}

/** The network of this machine by its IPv4 interfaces. */
export function createLocalNetwork({ random, logger, interfaces }: LocalNetworkDeps): LocalNetwork {
  return {
    call: callService,
    async open(group, heard) {
      const sockets = await openSockets(logger, interfaces);
      for (const socket of sockets)
        socket.on('message', (bytes, { address }) => heard({ address, bytes: new Uint8Array(bytes) }));
      return {
        say: (bytes) => {
          for (const socket of sockets) send(socket, bytes, group);
        },
        close: () => closeAll(sockets),
      };
    },
    async openCoap(group, heard): Promise<Conversation<[]>> {
      // Loaded when it is asked for: most coordinators never look for cameras.
      const { askForLinks, readLinks, repliesTo } = await import('./coap-links.ts');
      const sockets = await openSockets(logger, interfaces);
      const token = Buffer.from(random.bytes(8));
      const ended = new AbortController();
      const servers = new Set<string>();
      for (const socket of sockets) {
        socket.on('message', (bytes, { address, port }) => {
          const server = `${address}:${port}`;
          if (!repliesTo(bytes, token) || servers.has(server) || servers.size >= mostServers) return;
          servers.add(server);
          readLinks({ address, port }, ended.signal).then(
            (text) => ended.signal.aborted || heard({ address, port, text }),
            (error: unknown) => logger.debug('a CoAP server did not tell its resources', { server, error }),
          );
        });
      }
      return {
        say: () => {
          for (const socket of sockets) askForLinks(socket, group, token);
        },
        close: () => {
          ended.abort();
          closeAll(sockets);
        },
      };
    },
  };
}

/** One for each interface: a question to a group leaves by one of them, and each has its own neighbours. */
async function openSockets(logger: Logger, interfaces = ownAddresses()): Promise<readonly Socket[]> {
  const opened = await Promise.allSettled(interfaces.slice(0, mostInterfaces).map(openSocket));
  const sockets = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const one of opened)
    if (one.status === 'rejected') logger.debug('an interface cannot be asked from', { error: one.reason });
  if (sockets.length === 0) throw new ShoalError('net.unreachable', 'there is no network to search for cameras');
  return sockets;
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((all = []) =>
    all.filter(({ family }) => family === 'IPv4').map(({ address }) => address),
  );
}

function openSocket(address: string): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port: 0, exclusive: true }, () => {
      socket.setMulticastInterface(address);
      socket.removeAllListeners('error');
      // What cannot be sent or delivered is lost, as datagrams are.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

function send(socket: Socket, bytes: Uint8Array, { address, port }: Group): void {
  socket.send(bytes, port, address, () => {});
}

function closeAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) {
    socket.removeAllListeners('message');
    socket.close();
  }
}
