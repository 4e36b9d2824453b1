import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { ShoalError } from '../../errors/index.ts';
import type { PeerId } from '../../identity/index.ts';
import type { BrokerAddress } from './broker-address.ts';
import { isVouchedFor } from './vouched-certificate.ts';

/** How a broker is reached: what is loaded for it, once. TLS takes some 6 MB. */
export interface Transport {
  /** Connects. Nothing may be written before {@link trust} has resolved. */
  open(): Socket;
  /** Resolves when there is a connection, and what is written reaches the right broker alone. @throws `auth.forbidden`; `net.unreachable` when the socket ends before. */
  trust(socket: Socket): Promise<void>;
  /** MQTT on the socket: the socket itself, or a WebSocket over it. */
  stream(socket: Socket): Duplex;
}

/** @param coordinator who may vouch for the broker's certificate with its own key. */
export async function loadTransport(address: BrokerAddress, coordinator: PeerId): Promise<Transport> {
  const tls = address.tls ? await import('node:tls') : undefined;
  const ws = address.webSocketPath === undefined ? undefined : await import('ws');
  const { host, port } = address;
  return {
    // Without TCP_NODELAY, Nagle's algorithm and delayed acknowledgements together cost 44 to 88 ms a round trip.
    open: () =>
      tls
        ? // Whom to trust is decided in `trust`: by a fingerprint, by the coordinator's key, or by the authorities.
          tls
            .connect({ host, port, rejectUnauthorized: false, ...(isIP(host) === 0 && { servername: host }) })
            .setNoDelay(true)
        : connectTcp({ host, port, noDelay: true }),
    trust: async (socket) => {
      await opened(socket, tls ? 'secureConnect' : 'connect', address);
      if (!tls) return;
      const why = whyNotTrusted(socket as TLSSocket, address, coordinator);
      if (why === undefined) return;
      throw new ShoalError('auth.forbidden', `the broker at ${address.text} is not the one that is wanted: ${why}`);
    },
    stream: (socket) => {
      if (!ws) return socket;
      const { host: named } = new URL(`ws://${address.text}`);
      const webSocket = new ws.WebSocket(`ws://${named}${address.webSocketPath}`, 'mqtt', {
        createConnection: () => socket,
        perMessageDeflate: false,
      });
      return ws.createWebSocketStream(webSocket);
    },
  };
}

function opened(socket: Socket, event: 'connect' | 'secureConnect', { text }: BrokerAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.once('error', (cause) => reject(cause));
    socket.once('close', () =>
      reject(new ShoalError('net.unreachable', `the broker at ${text} closed the connection`)),
    );
  });
}

function whyNotTrusted(socket: TLSSocket, { fingerprint }: BrokerAddress, coordinator: PeerId): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return 'it shows no certificate';
  if (fingerprint !== undefined) {
    const shown = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
    return shown === fingerprint ? undefined : 'its certificate is not the one that the address names';
  }
  if (isVouchedFor(certificate, coordinator) || socket.authorized) return undefined;
  return `neither the coordinator nor an authority vouches for its certificate (${socket.authorizationError})`;
}
