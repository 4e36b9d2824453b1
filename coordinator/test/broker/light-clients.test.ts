import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { guardPackets } from '@shoal/protocol/mqtt';
import { Aedes, type Client } from 'aedes';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LightClients } from '../../src/broker/light-clients.ts';

/** MQTT 3.1.1: CONNECT of a client id of one letter, SUBSCRIBE to `t`, PUBLISH of a letter on `t`. */
const connectPacket = (id: string, version = 4) =>
  Buffer.concat([
    Buffer.from('100d00044d515454', 'hex'),
    Buffer.of(version),
    Buffer.from('02003c0001', 'hex'),
    Buffer.from(id),
  ]);
const subscribePacket = Buffer.from('820600010001', 'hex');
const subscribe = Buffer.concat([subscribePacket, Buffer.from('t'), Buffer.of(0)]);
const publish = (letter: string) => Buffer.concat([Buffer.from('3004000174', 'hex'), Buffer.from(letter)]);
const pingRequest = Buffer.from('c000', 'hex');

let aedes: Aedes;
let port: number;
const ends: (() => Promise<unknown>)[] = [];
const heard: string[] = [];
const gone: string[] = [];
const light = () => new LightClients();

beforeEach(async () => {
  heard.splice(0);
  gone.splice(0);
  aedes = await Aedes.createBroker();
  aedes.subscribe(
    't',
    ({ payload }, done) => {
      heard.push(payload.toString());
      done();
    },
    () => {},
  );
  aedes.on('clientDisconnect', ({ id }) => gone.push(id));
  const clients = light();
  aedes.on('subscribe', (_, client) => clients.lighten(client));
  const server = createServer((socket) => {
    guardPackets(socket, { firstBytes: 100, laterBytes: 100 });
    aedes.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as { port: number }).port;
  ends.push(async () => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    server.close();
  });
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function aClient(id: string): Promise<{ socket: Socket; inside: Client & Record<string, object> }> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  ends.push(async () => socket.destroy());
  socket.write(connectPacket(id));
  await once(socket, 'data');
  socket.write(subscribe);
  await once(socket, 'data');
  const clients = (aedes as unknown as { clients: Record<string, Client & Record<string, object>> }).clients;
  return { socket, inside: clients[id] as Client & Record<string, object> };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

it('finds in this aedes what it takes away: parser, password, listeners', async () => {
  const { inside } = await aClient('a');
  expect(Object.keys(inside['_parser'] ?? {})).toEqual([]);
  expect(inside.conn.listenerCount('finish')).toBe(0);
  expect(Object.keys(inside['duplicates'] ?? { one: 1 })).toEqual([]);
});

it('reads what each of them says, whole or in pieces, and answers it', async () => {
  const [{ socket: one }, { socket: other }] = [await aClient('a'), await aClient('b')];
  one.write(publish('1').subarray(0, 3));
  other.write(Buffer.concat([publish('2'), publish('3')]));
  await until(() => heard.length === 2);
  one.write(publish('1').subarray(3));
  await until(() => heard.length === 3);
  expect(heard).toEqual(['2', '3', '1']);
  other.write(pingRequest);
  const chunks: Buffer[] = [];
  other.on('data', (chunk) => chunks.push(chunk));
  await until(() => Buffer.concat(chunks).includes(Buffer.from('d000', 'hex')));
});

it('cuts off who says what is no MQTT, and nobody else', async () => {
  const [{ socket: one }, { socket: other }] = [await aClient('a'), await aClient('b')];
  const cut = once(one, 'close');
  one.resume();
  // A SUBSCRIBE without the flags of §3.8.1.
  one.write(Buffer.from('80020001', 'hex'));
  await cut;
  expect(gone).toEqual(['a']);
  other.write(publish('2'));
  await until(() => heard.length === 1);
});

it('is not told another version of MQTT for all by one who says CONNECT again', async () => {
  const [{ socket: one }, { socket: other }] = [await aClient('a'), await aClient('b')];
  const cut = once(one, 'close');
  one.resume();
  one.write(Buffer.concat([Buffer.from('100e00044d51545405', 'hex'), Buffer.from('02003c00000161', 'hex')]));
  await cut;
  other.write(publish('2'));
  await until(() => heard.length === 1);
  expect(heard).toEqual(['2']);
});

it.each([
  ['says goodbye', (socket: Socket) => socket.write(Buffer.from('e000', 'hex'))],
  ['ends the connection', (socket: Socket) => socket.end()],
  ['breaks the connection', (socket: Socket) => socket.resetAndDestroy()],
])('notices when one %s', async (_, leave) => {
  const { socket } = await aClient('a');
  leave(socket);
  await until(() => gone.length === 1);
  expect(gone).toEqual(['a']);
});
