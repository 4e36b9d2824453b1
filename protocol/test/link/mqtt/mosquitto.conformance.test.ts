import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { createMqttCoordinatorLink, createMqttDeviceLink } from '@shoal/protocol/mqtt';
import { systemClock } from '@shoal/protocol/real';
import { CountingClock, type LinkWorld, linkConformance } from '@shoal/protocol/testing';
import { describe, it } from 'vitest';

const program = ['mosquitto', '/usr/sbin/mosquitto'].find((name) => spawnSync(name, ['-h']).error === undefined);
const limits = { backoff: { firstMs: 5, maxMs: 20, factor: 2 }, closeGraceMs: 500 };

class Mosquitto {
  readonly port: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  static async start(): Promise<Mosquitto> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-mosquitto-'));
    const port = await freePort();
    await writeFile(
      join(folder, 'conf'),
      `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n`,
    );
    const broker = new Mosquitto(folder, port);
    await broker.run();
    return broker;
  }

  constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  async run(): Promise<void> {
    this.#child = spawn(program ?? '', ['-c', join(this.#folder, 'conf')], { stdio: 'ignore' });
    while (!(await answers(this.port)));
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function mosquittoWorld(): Promise<LinkWorld> {
  const clock = new CountingClock(systemClock);
  const coordinator = newIdentity('coordinator', seededRandom(1));
  const broker = await Mosquitto.start();
  const common = { url: `mqtt://127.0.0.1:${broker.port}`, clock, logger: silentLogger, limits };
  return {
    coordinator,
    coordinatorLink: () => createMqttCoordinatorLink({ ...common, identity: coordinator }),
    deviceLink: (identity) => createMqttDeviceLink({ ...common, identity, coordinator: coordinator.id }),
    away: async (action) => {
      await broker.kill();
      await action();
      await broker.run();
    },
    leftovers: () => clock.pending(),
    close: () => broker.close(),
  };
}

// Install it with `apt-get install mosquitto`; without it these cases are counted as skipped.
describe.skipIf(program === undefined)('the MQTT link over Mosquitto', () => {
  for (const { name, run } of linkConformance(mosquittoWorld, { middle: true })) it(name, run);
});
