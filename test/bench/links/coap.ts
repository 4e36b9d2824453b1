import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { newIdentity, silentLogger } from '@shoal/protocol';
import { createCoapCoordinatorLink, createCoapDeviceLink } from '@shoal/protocol/coap';
import { systemClock, systemRandom } from '@shoal/protocol/real';
import coap from 'coap';
import type { RoundTrips } from './libp2p.ts';

const host = '127.0.0.1';
const never = new AbortController().signal;

/** A device asks: a POST, and the answer with its acknowledgement. Two datagrams, over the link as over the package. */
export async function coapRoundTrips(): Promise<RoundTrips> {
  const [link, bare] = [await openLink(), await openBare()];
  link.device.subscribe({ onFrame: link.answered });
  link.server.subscribe({ onFrame: (frame, from) => void link.server.send(from, frame) });
  return trips(link, bare, (payload) => link.device.send(link.coordinatorId, payload));
}

/**
 * A coordinator commands: a notification, its acknowledgement, and a POST with the answer, which is acknowledged, too. A device cannot be asked in two datagrams:
 * it is a client, behind a NAT more often than not. So it is four, over the link as over the package, whose client observes and posts in the same way.
 */
export async function coapCommands(): Promise<RoundTrips> {
  const [link, bare] = [await openLink(), await openBareObserved()];
  link.device.subscribe({ onFrame: (frame, from) => void link.device.send(from, frame) });
  link.server.subscribe({ onFrame: link.answered });
  return trips(link, bare, (payload) => link.server.send(link.deviceId, payload));
}

interface Bare {
  ask(payload: Uint8Array): Promise<void>;
  close(): void;
}

function trips(
  link: Awaited<ReturnType<typeof openLink>>,
  bare: Bare,
  send: (payload: Uint8Array) => Promise<void>,
): RoundTrips {
  return {
    link: (payload) =>
      new Promise<void>((resolve, reject) => {
        link.whenAnswered(resolve);
        send(payload).catch(reject);
      }),
    bare: bare.ask,
    async close() {
      await link.close();
      bare.close();
    },
  };
}

/** Both ends of a link, connected. */
async function openLink() {
  const coordinatorId = newIdentity('coordinator', systemRandom).id;
  const identity = newIdentity('device', systemRandom);
  const common = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const server = createCoapCoordinatorLink({ ...common, host, port: 0 });
  await server.start(never);
  const urls = [`coap://${host}:${server.port}`];
  const device = createCoapDeviceLink({ ...common, urls, identity, coordinator: coordinatorId });
  const connected = new Promise<void>((resolve) => {
    device.subscribe({ onFrame: () => {}, onPeer: (_peer, isReachable) => isReachable && resolve() });
  });
  await device.start(never);
  await connected;
  let resolve = () => {};
  return {
    ...{ server, device, coordinatorId, deviceId: identity.id },
    answered: () => resolve(),
    whenAnswered(then: () => void) {
      resolve = then;
    },
    async close() {
      await device.stop();
      await server.stop();
    },
  };
}

async function openBare(): Promise<Bare> {
  const { server, agent, port, close } = await openPackage();
  server.on('request', (request: coap.IncomingMessage, response: coap.OutgoingMessage) => {
    response.code = '2.04';
    response.end(request.payload);
  });
  const ask = (payload: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      const request = agent.request({ host, port, method: 'POST', pathname: '/echo' });
      request.on('response', () => resolve());
      request.on('error', reject);
      request.end(Buffer.from(payload));
    });
  return { ask, close };
}

async function openBareObserved(): Promise<Bare> {
  const { server, agent, port, close } = await openPackage();
  const observed = Promise.withResolvers<coap.ObserveWriteStream>();
  let answered = () => {};
  server.on('request', (request: coap.IncomingMessage, response: coap.OutgoingMessage | coap.ObserveWriteStream) => {
    if (request.method === 'GET') {
      observed.resolve(response as coap.ObserveWriteStream);
      response.write(Buffer.of(0));
      return;
    }
    response.code = '2.04';
    response.end();
    answered();
  });
  const observing = agent.request({ host, port, pathname: '/down', observe: true });
  observing.on('response', (notifications: coap.ObserveReadStream) => {
    let isFirst = true;
    notifications.on('data', (payload: Buffer) => {
      if (!isFirst) agent.request({ host, port, method: 'POST', pathname: '/up' }).end(payload);
      isFirst = false;
    });
  });
  observing.end();
  const stream = await observed.promise;
  const ask = (payload: Uint8Array) =>
    new Promise<void>((resolve) => {
      answered = resolve;
      stream.write(Buffer.from(payload));
    });
  return { ask, close };
}

async function openPackage() {
  const [serverSocket, clientSocket] = [createSocket('udp4').bind(0, host), createSocket('udp4').bind(0, host)];
  await Promise.all([once(serverSocket, 'listening'), once(clientSocket, 'listening')]);
  const server = coap.createServer();
  server.listen(serverSocket);
  const agent = new coap.Agent({ socket: clientSocket });
  return {
    ...{ server, agent, port: serverSocket.address().port },
    close() {
      server.close();
      serverSocket.close();
      clientSocket.close();
    },
  };
}
