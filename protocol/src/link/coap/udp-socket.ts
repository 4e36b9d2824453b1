import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';

type Found = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** Where each datagram goes is asked by the socket: an address is known at once, and not a turn later. */
export function createUdpSocket(family: 4 | 6): Socket {
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (host: string, options: number, found: Found) =>
      isIP(host) === 0 ? lookup(host, options, found) : found(null, host, options),
  } as unknown as Parameters<typeof createSocket>[0]);
}

/** Also of one that was never bound. */
export function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(resolve));
}
