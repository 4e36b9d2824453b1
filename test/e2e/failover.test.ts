import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Fleet } from '../support/fleet.ts';
import { freePort } from '../support/free-port.ts';
import { hasMosquitto, Mosquitto } from '../support/mosquitto.ts';
import { taskFinal } from '../support/tasks.ts';

interface Device {
  readonly presence: string;
  readonly link: { readonly up: readonly string[] };
  readonly telemetry?: { readonly links: readonly { readonly kind: string; readonly inUse: boolean }[] };
}

let fleet: Fleet;
afterEach(() => fleet?.[Symbol.asyncDispose]());

/** The device is looked at until it is so; rejects when it was seen `offline` on the way, or it takes too long. */
async function until(what: (device: Device) => boolean, withinMs = 60_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const { items } = await fleet.json<{ items: Device[] }>('GET', '/v1/devices');
    const [device] = items;
    if (device?.presence === 'offline') throw new Error('the device was given up');
    if (device && what(device)) return;
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms: ${JSON.stringify(device)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const speaksOver = (kind: string) => (device: Device) =>
  device.telemetry?.links.find(({ inUse }) => inUse)?.kind === kind;

/** The state in which it ended. */
async function runTask(): Promise<string> {
  const { id } = await fleet.json<{ id: string }>('POST', '/v1/tasks', { pipeline: 'noop', deadlineMs: 60_000 });
  return (await taskFinal(fleet, id)).state;
}

/** A device that prefers a broker of its own process, and has libp2p beside it. */
async function withTwoLinks(broker: Mosquitto): Promise<Fleet> {
  const coordinatorArgs = ['--libp2p-host', '127.0.0.1', '--libp2p-port', String(await freePort())];
  return Fleet.start({ agents: 1, broker: broker.url, coordinatorArgs });
}

describe.skipIf(!(await hasMosquitto()))('a device with two links', () => {
  it.each(['is killed', 'freezes without a word'])(
    'goes on over libp2p when its broker %s, and back when that is there again',
    async (end) => {
      const directory = await mkdtemp(join(tmpdir(), 'shoal-failover-'));
      await using broker = await Mosquitto.start(directory);
      fleet = await withTwoLinks(broker);
      await until(speaksOver('mqtt'));
      await until(({ link }) => link.up.length === 2);
      if (end === 'is killed') await broker.kill();
      else broker.freeze();
      const running = Array.from({ length: 10 }, runTask);
      expect(await Promise.all(running)).toEqual(running.map(() => 'succeeded'));
      await until(speaksOver('libp2p'));
      if (end === 'is killed') await broker.restart();
      else broker.thaw();
      await until(speaksOver('mqtt'), 120_000);
      expect(await runTask()).toBe('succeeded');
      await rm(directory, { recursive: true, force: true });
    },
    240_000,
  );
});
