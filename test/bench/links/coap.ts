import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { createCoapCoordinatorLink, createCoapDeviceLink } from '@shoal/protocol/coap';
import { systemClock } from '@shoal/protocol/real';
import coap from 'coap';
import type { RoundTrips } from './libp2p.ts';

const host = '127.0.0.1';
const never = new AbortController().signal;

export async function coapRoundTrips(): Promise<RoundTrips> {
  const [link, bare] = [await openLink(), await openBare()];
  return {
    link: link.ask,
    bare: bare.ask,
    async close() {
      await link.close();
      await bare.close();
    },
  };
}

/** A frame up by POST, answered by a frame down in a notification. */
async function openLink() {
  const random = seededRandom(1);
  const coordinator = newIdentity('coordinator', random).id;
  const common = { clock: systemClock, logger: silentLogger };
  const server = createCoapCoordinatorLink({ ...common, random, host, port: 0 });
  server.subscribe({ onFrame: (frame, from) => void server.send(from, frame) });
  await server.start(never);
  const urls = [`coap://${host}:${server.port}`];
  const device = createCoapDeviceLink({
    ...common,
    random,
    urls,
    identity: newIdentity('device', random),
    coordinator,
  });
  let answered = () => {};
  const connected = new Promise<void>((resolve) => {
    device.subscribe({ onFrame: () => answered(), onPeer: (_peer, isReachable) => isReachable && resolve() });
  });
  await device.start(never);
  await connected;
  return {
    ask: (payload: Uint8Array) =>
      new Promise<void>((resolve, reject) => {
        answered = resolve;
        device.send(coordinator, payload).catch(reject);
      }),
    async close() {
      await device.stop();
      await server.stop();
    },
  };
}

/** The package alone: a confirmable POST whose answer, as long as the request, comes with its acknowledgement. */
async function openBare() {
  const serverSocket = createSocket('udp4').bind(0, host);
  const clientSocket = createSocket('udp4').bind(0, host);
  await Promise.all([once(serverSocket, 'listening'), once(clientSocket, 'listening')]);
  const server = coap.createServer((request: coap.IncomingMessage, response: coap.OutgoingMessage) => {
    response.code = '2.04';
    response.end(request.payload);
  });
  server.listen(serverSocket);
  const agent = new coap.Agent({ socket: clientSocket });
  const { port } = serverSocket.address();
  return {
    ask: (payload: Uint8Array) =>
      new Promise<void>((resolve, reject) => {
        const request = agent.request({ host, port, method: 'POST', pathname: '/echo' });
        request.on('response', () => resolve());
        request.on('error', reject);
        request.end(Buffer.from(payload));
      }),
    async close() {
      server.close();
      serverSocket.close();
      clientSocket.close();
    },
  };
}
