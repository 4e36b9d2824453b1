import { createServer as createHttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import { ShoalError } from '@shoal/protocol';
import { createWebSocketStream, WebSocketServer } from 'ws';

/** How devices may come: MQTT on a socket or on a WebSocket, in the clear or over TLS. */
export type ListenerKind = 'mqtt' | 'mqtts' | 'ws' | 'wss';

/** In the order in which a device should try them. */
export const listenerKinds: readonly ListenerKind[] = ['mqtts', 'mqtt', 'wss', 'ws'];

/** Key and certificate (with what leads to its authority), PEM. */
export interface TlsIdentity {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

export interface LayerOptions {
  readonly tls: TlsIdentity | undefined;
  readonly mostMessageBytes: number;
  /** A WebSocket begins on what lies below it. */
  upgrade(below: Duplex, socket: Socket): void;
  /** MQTT begins on this stream. */
  accept(stream: Duplex, socket: Socket): void;
}

const longestHttpHeaderBytes = 8 * 1024;

/** What stands between a socket and MQTT on it. @returns what to do with a socket that was accepted. */
export function layersOf(kind: ListenerKind, options: LayerOptions): (socket: Socket) => void {
  const secure = kind === 'mqtts' || kind === 'wss' ? secureLayer(options.tls) : (socket: Socket) => socket;
  if (kind === 'mqtt' || kind === 'mqtts') return (socket) => options.accept(secure(socket), socket);
  const webSocket = webSocketLayer(options);
  return (socket) => webSocket(secure(socket), socket);
}

function secureLayer(tls: TlsIdentity | undefined): (socket: Socket) => TLSSocket {
  if (!tls) throw new ShoalError('input.invalid', 'TLS needs a key and a certificate', { field: 'tls' });
  const secureContext = createSecureContext({ ...tls, minVersion: 'TLSv1.2' });
  return (socket) => {
    const secured = new TLSSocket(socket, { isServer: true, secureContext });
    secured.on('error', () => socket.destroy());
    return secured;
  };
}

/** MQTT 3.1.1 §6: binary messages of the subprotocol `mqtt`; packets need not end where messages do. */
function webSocketLayer({ mostMessageBytes, upgrade, accept }: LayerOptions): (below: Socket, socket: Socket) => void {
  const sockets = new WeakMap<Duplex, Socket>();
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: mostMessageBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : false),
  });
  // It never listens itself: sockets are handed to it.
  const http: Server = createHttpServer({ maxHeaderSize: longestHttpHeaderBytes }, (_request, response) => {
    response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end('MQTT over WebSocket is spoken here\n');
  }).on('upgrade', (request, below, head) => {
    const socket = sockets.get(below);
    if (!socket) return below.destroy();
    upgrade(below, socket);
    webSockets.handleUpgrade(request, below, head, (webSocket) => accept(createWebSocketStream(webSocket), socket));
    return undefined;
  });
  return (below, socket) => {
    sockets.set(below, socket);
    http.emit('connection', below);
  };
}
