import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJoinToken, fromHex, toBase64Url, toHex } from '@shoal/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../support/child.ts';
import { agentBin, coordinatorBin } from '../support/fleet.ts';

/** Everything that was used in the run and that nobody may read in what the processes say, by what it is. */
const secrets = new Map<string, string>();
/** Every process of the run. */
const said: { readonly who: string; readonly child: Child }[] = [];

let directory: string;
let wire: Server;
let coordinator: Child;
let url: string;
let apiKey: string;

function start(who: string, bin: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
  const child = new Child(process.execPath, [bin, ...words], { env });
  said.push({ who: `${who} ${words[0]} ${words[1] ?? ''}`, child });
  return child;
}

/** The output and the exit code of a command of the operator. */
async function shoal(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: unknown; text: string }> {
  const child = start('shoal', coordinatorBin, words, { SHOAL_URL: url, SHOAL_API_KEY: apiKey, ...env });
  return { code: await child.ended(), text: child.output };
}

/** A secret in each way in which it could be written. */
function keep(what: string, bytes: Uint8Array): void {
  secrets.set(`${what}, hex`, toHex(bytes));
  secrets.set(`${what}, base 64`, Buffer.from(bytes).toString('base64').replace(/=+$/, ''));
  secrets.set(`${what}, base 64 url`, toBase64Url(bytes));
}

/** Stands between devices and broker, and keeps the proofs of keys that pass. */
async function wiretapped(port: () => number): Promise<Server> {
  const server = createServer((socket) => {
    const broker = connect(port(), '127.0.0.1');
    let first = '';
    socket.on('data', (bytes) => {
      first = (first + bytes.toString('latin1')).slice(0, 2_000);
      for (const [proof] of first.matchAll(/\d{13}\.[\w-]{43}\.[\w-]{86}/g))
        secrets.set(`key proof ${proof.slice(0, 13)}`, proof);
    });
    socket.pipe(broker).pipe(socket);
    const cut = () => {
      socket.destroy();
      broker.destroy();
    };
    for (const end of [socket, broker]) end.on('error', cut).on('close', cut);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const api = (method: string, path: string, body?: unknown) =>
  fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

async function seedIn(path: string): Promise<Uint8Array> {
  const hex = (await readFile(path, 'utf8')).trim().split(' ')[2] ?? '';
  return fromHex(hex) ?? new Uint8Array();
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-secrets-'));
  let mqttPort = 0;
  wire = await wiretapped(() => mqttPort);
  const { port } = wire.address() as { port: number };
  const data = join(directory, 'coordinator');
  const quietly = ['--http-port', '0', '--mqtt-port', '0', '--mqtt-host', '127.0.0.1', '--log-level', 'debug'];
  const address = ['--address', `mqtt://127.0.0.1:${port}`];
  coordinator = start('coordinator', coordinatorBin, ['coordinator', '--data', data, '--json', ...quietly, ...address]);
  const where = JSON.parse((await coordinator.line(/^\{.*"url".*\}$/))[0]);
  ({ url, apiKey } = where);
  secrets.set('API key', apiKey);
  const running = JSON.parse(await readFile(join(data, 'coordinator.json'), 'utf8'));
  secrets.set('key of the commands on this machine', running.key);
  mqttPort = await listeningPort(coordinator);
  keep('private key of the coordinator', await seedIn(join(data, 'coordinator.key')));
}, 60_000);

afterAll(async () => {
  for (const { child } of said.reverse()) await child.stop();
  wire?.close();
  await rm(directory, { recursive: true, force: true });
});

/** The broker's own port: what the token says is the wire's. */
async function listeningPort({ pid }: Child): Promise<number> {
  const httpPort = Number(new URL(url).port);
  const inodes = new Set<string>();
  for (const name of await readdir(`/proc/${pid}/fd`)) {
    const { readlink } = await import('node:fs/promises');
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => '');
    inodes.add(/socket:\[(\d+)\]/.exec(target)?.[1] ?? '');
  }
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
  const ports = rows
    .filter((row) => row[3] === '0A' && inodes.has(row[9] ?? 'none'))
    .map((row) => Number.parseInt(row[1]?.split(':')[1] ?? '0', 16));
  const found = ports.find((port) => port !== httpPort);
  if (found === undefined) throw new Error('the coordinator listens nowhere but at its REST API');
  return found;
}

describe('what a coordinator, an agent and the commands say at their most talkative', () => {
  it('has none of the secrets that they use in it', async () => {
    const token = /shoal1_\S+/.exec((await shoal(['token', 'create', '--uses', '2', '--qr'])).text)?.[0] ?? '';
    keep('secret of the token', decodeJoinToken(token).secret);
    const data = join(directory, 'device');
    const agent = start('agent', agentBin, ['join', token, '--data', data, '--log-level', 'debug']);
    await agent.line(/ joined/);
    keep('private key of the device', await seedIn(join(data, 'device.key')));

    // Cameras, one of which cannot be reached, and inputs, with passwords in their URLs.
    for (const [name, value] of [
      ['password of a camera', 'cam-p4ssw0rd-1'],
      ['token of a camera', 'cam-t0ken-2'],
      ['password of a substream', 'cam-p4ssw0rd-3'],
      ['password of an input', 'input-p4ssw0rd-4'],
      ['token of an input', 'input-t0ken-5'],
      ['password of the broker', 'broker-p4ssw0rd-6'],
      ['key that is not known', 'shoal_wr0ng-key-7'],
    ] as const)
      secrets.set(name, value);
    const source = 'rtsp://viewer:cam-p4ssw0rd-1@127.0.0.1:1/live?token=cam-t0ken-2';
    const substream = 'rtsp://viewer:cam-p4ssw0rd-3@127.0.0.1:1/small';
    expect((await shoal(['cameras', 'add', source, '--name', 'yard', '--substream', substream])).code).toBe(0);
    await shoal(['cameras', 'add', 'gopher://viewer:cam-p4ssw0rd-1@x/']);
    await shoal(['cameras', 'list']);
    await shoal(['cameras', 'show', 'yard']);
    await agent.line(/rtsp:\/\/\*\*\*@127\.0\.0\.1:1|yard/);
    const input = 'http://reader:input-p4ssw0rd-4@127.0.0.1:1/a.jpg?token=input-t0ken-5';
    const asked = await api('POST', '/v1/tasks', { pipeline: 'detect', input: { url: input } });
    expect(asked.ok).toBe(false);
    const answers = [await asked.text()];
    const spec = { pipeline: 'noop' };
    answers.push(await (await api('POST', '/v1/tasks?wait=5', spec)).text());

    // Errors on purpose: words where ids are meant, keys that are wrong, tokens that are cut.
    await shoal(['token', 'revoke', `${token}x`]);
    await shoal(['token', 'revoke', token, token]);
    await shoal(['key', 'revoke', apiKey]);
    await shoal(['devices', 'show', token]);
    await shoal(['devices'], { SHOAL_API_KEY: 'shoal_wr0ng-key-7' });
    await shoal(['devices', '--key', apiKey]);
    for (const word of [token.slice(0, -3), `${token}AAAA`]) {
      await start('agent', agentBin, ['join', word, '--data', join(directory, 'other')]).ended();
    }
    await start('agent', agentBin, ['join', '--data', data, token, token]).ended();
    const broken = start('coordinator', coordinatorBin, [
      ...['coordinator', '--data', join(directory, 'broken'), '--http-port', '0', '--log-level', 'debug'],
      ...['--mqtt-url', 'mqtt://op:broker-p4ssw0rd-6@127.0.0.1:1'],
    ]);
    await broken.line(/127\.0\.0\.1:1/);
    await broken.stop();
    secrets.set('first API key of the other coordinator', /shoal_[\w-]{20,}/.exec(broken.output)?.[0] ?? 'none');
    await shoal(['token', 'revoke', token]);

    await agent.stop();
    const rekey = start('agent', agentBin, ['rekey', '--data', data, '--log-level', 'debug']);
    expect(await rekey.ended()).toBe(0);
    keep('new private key of the device', await seedIn(join(data, 'device.key')));
    const status = start('agent', agentBin, ['status', '--data', data]);
    await status.ended();
    await coordinator.stop();

    expect([...secrets.keys()].filter((what) => what.startsWith('key proof')).length).toBeGreaterThanOrEqual(2);
    const output = said.map(({ who, child }) => ({ who, text: child.output }));
    output.push(...answers.map((text) => ({ who: 'an answer', text })));
    const found = output.flatMap(({ who, text }) =>
      [...secrets].filter(([, secret]) => text.includes(secret)).map(([what]) => `${who}: ${what}`),
    );
    // What is made is shown once, to whom it is made for.
    const shown = [
      'coordinator coordinator --data: API key',
      'coordinator coordinator --data: first API key of the other coordinator',
    ];
    expect(found.sort()).toEqual(shown.sort());
    for (const key of [apiKey, secrets.get('first API key of the other coordinator') ?? ''])
      expect(
        output
          .map(({ text }) => text)
          .join('\n')
          .split(key),
      ).toHaveLength(2);
    const words = output.filter(({ text }) => text.includes(token));
    expect(words.map(({ who }) => who)).toEqual(['shoal token create']);
    expect(coordinator.output).toMatch(/a device joined[\s\S]*a device has a new key/);
  }, 120_000);
});
