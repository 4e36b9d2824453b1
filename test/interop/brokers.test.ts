import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Identity, newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { createMqttCoordinatorLink, createMqttDeviceLink, vouchForKey } from '@shoal/protocol/mqtt';
import { systemClock } from '@shoal/protocol/real';
import { CountingClock, type LinkWorld, linkConformance } from '@shoal/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet } from '../support/fleet.ts';
import { freePort } from '../support/free-port.ts';
import { hasMosquitto, Mosquitto } from '../support/mosquitto.ts';
import { hasNats, Nats } from '../support/nats.ts';
import { hasRabbitMq, RabbitMq } from '../support/rabbitmq.ts';

/** Brokers by others, each a real process. What is not installed is skipped: `apt-get install mosquitto nats-server rabbitmq-server`. */

interface Broker extends AsyncDisposable {
  readonly url: string;
  restart?(): Promise<void>;
  kill?(): Promise<void>;
}

const coordinator = newIdentity('coordinator', seededRandom(1));
const limits = { backoff: { firstMs: 5, maxMs: 20, factor: 2 }, closeGraceMs: 500 };

const brokers: readonly {
  readonly name: string;
  readonly present: boolean;
  readonly conforms: boolean;
  start(directory: string): Promise<Broker>;
}[] = [
  {
    name: 'Mosquitto over TLS, with a certificate that the coordinator vouches for',
    present: await hasMosquitto(),
    conforms: true,
    start: (directory) => Mosquitto.start(directory, aCertificate(coordinator)),
  },
  { name: 'NATS with its MQTT gateway', present: hasNats, conforms: true, start: (directory) => Nats.start(directory) },
  {
    name: 'RabbitMQ with its MQTT plugin',
    present: hasRabbitMq,
    // RabbitMQ 3.10 is still clearing up after a connection when its client comes back within some 200 ms, and then forgets what the new one has
    // subscribed to. The suite does little else.
    conforms: false,
    start: (directory) => RabbitMq.start(directory),
  },
];

/** Key and certificate, PEM. */
function aCertificate(voucher: Identity): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = vouchForKey(voucher, publicKey.export({ type: 'spki', format: 'der' }));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: new X509Certificate(cert).toString(),
  };
}

describe.each(brokers)('over $name', ({ present, conforms, start }) => {
  let directory: string;
  let broker: Broker;
  let worlds = 0;

  beforeAll(async () => {
    if (!present) return;
    directory = await mkdtemp(join(tmpdir(), 'shoal-broker-'));
    broker = await start(directory);
  }, 120_000);
  afterAll(async () => {
    if (!present) return;
    await broker?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  }, 60_000);

  /** The broker is the same for all cases: topics of its own keep what one leaves retained from the next. */
  async function aWorld(): Promise<LinkWorld> {
    const clock = new CountingClock(systemClock);
    const common = { url: broker.url, prefix: `case-${worlds++}`, clock, logger: silentLogger, limits };
    return {
      coordinator,
      coordinatorLink: () => createMqttCoordinatorLink({ ...common, identity: coordinator }),
      deviceLink: (identity) => createMqttDeviceLink({ ...common, identity, coordinator: coordinator.id }),
      away: async (action) => {
        await broker.kill?.();
        await action();
        await broker.restart?.();
      },
      leftovers: () => clock.pending(),
      close: async () => {},
    };
  }

  const cases = conforms ? linkConformance(aWorld, { middle: true }) : [];
  for (const { name, run } of cases) it.skipIf(!present)(name, run);

  it.skipIf(!present)(
    'a device joins and does its work',
    async () => {
      const { url } = broker;
      // A coordinator process has a key of its own, which has not vouched for this broker: its certificate is known by its fingerprint.
      const named = url.startsWith('mqtts:') ? `${url}#sha256=${await fingerprintOf(url)}` : url;
      await using fleet = await Fleet.start({ agents: 1, broker: named, coordinatorArgs: ['--address', named] });
      const task = await fleet.json<{ state: string }>('POST', '/v1/tasks?wait=30000', { pipeline: 'noop' });
      expect(task.state).toBe('succeeded');
    },
    120_000,
  );
});

describe('over the embedded broker with TLS', () => {
  it('a device joins with a token that names no unencrypted address, does its work, and finds its way back after a restart', async () => {
    const coordinatorArgs = ['--mqtts-port', String(await freePort())];
    await using fleet = await Fleet.start({ agents: 1, coordinatorArgs });
    const noop = () => fleet.json<{ state: string }>('POST', '/v1/tasks?wait=30000', { pipeline: 'noop' });
    expect((await noop()).state).toBe('succeeded');
    expect(fleet.agents[0]?.output).toContain('mqtts://');
    fleet.coordinator.process.kill('SIGKILL');
    await fleet.restartCoordinator();
    await fleet.untilOnline(1);
    expect((await noop()).state).toBe('succeeded');
  }, 120_000);
});

async function fingerprintOf(url: string): Promise<string> {
  const { connect } = await import('node:tls');
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    }).on('error', reject);
  });
}
