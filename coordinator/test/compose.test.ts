import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryHub, newIdentity, seededRandom, silentLogger } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { afterAll, describe, expect, it } from 'vitest';
import { FileBlobStore } from '../src/blobs/real/index.ts';
import { createCoordinator } from '../src/compose.ts';
import { defaultCoordinatorConfig } from '../src/config.ts';
import { SqliteStore } from '../src/store/sqlite/index.ts';
import { aSpec } from './support/builders.ts';
import { testModels } from './support/models.ts';
import { never, ScriptedDevice } from './support/scripted-device.ts';
import { aWorld } from './support/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'shoal-compose-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a coordinator over SQLite and files', () => {
  it('does a task, and finds everything again when it is opened anew', async () => {
    const clock = systemClock;
    const random = seededRandom(9);
    const hub = new MemoryHub(clock);
    const identity = newIdentity('coordinator', random);
    const open = () =>
      createCoordinator(defaultCoordinatorConfig, {
        clock,
        random,
        logger: silentLogger,
        identity,
        links: [hub.link(identity.id)],
        store: new SqliteStore(clock, { path: join(folder, 'db') }),
        blobs: new FileBlobStore(random, join(folder, 'blobs')),
        models: testModels,
        addresses: () => ['mqtt://127.0.0.1:1'],
      });
    const first = open();
    await first.start(never);
    const device = new ScriptedDevice({ clock, random, link: (id) => hub.link(id), coordinator: identity.id });
    await device.connect();
    const { word } = await first.tokens.create({ uses: 1, lifetimeMs: 60_000, labels: {} });
    await device.join(word);
    const task = await first.tasks.submit(aSpec(), 'key');
    const ended = await first.tasks.wait(task.id, 10_000, never);
    expect(ended.state).toBe('succeeded');
    await first.stop();

    const second = open();
    await second.start(never);
    expect(await second.tasks.get(task.id)).toEqual(ended);
    expect(await second.tasks.submit(aSpec(), 'key')).toEqual(ended);
    expect(second.devices.list()).toMatchObject([{ id: device.id }]);
    await device.die();
    expect((await second.results.ofTask(task.id)).device).toBe(device.id);
    await second.stop();
  });
});

describe('a coordinator', () => {
  it('leaves no timer behind when it is stopped', async () => {
    const world = await aWorld();
    const device = await world.joined();
    device.work = () => undefined;
    await world.clock.until(world.coordinator.tasks.submit(aSpec()));
    await world.clock.advance(100);
    await device.die();
    await world.clock.until(world.coordinator.stop());
    expect(world.clock.pending()).toEqual([]);
  });

  it('does the same again for the same seed', async () => {
    const run = async () => {
      const random = seededRandom(4);
      const world = await aWorld({ seed: 11, hub: { route: () => (random.next() < 0.2 ? [] : [random.next() * 30]) } });
      const devices = [await world.joined(), await world.joined()];
      const tasks = await world.clock.until(
        Promise.all(Array.from({ length: 20 }, () => world.coordinator.tasks.submit(aSpec()))),
      );
      for (const { id } of tasks) await world.ended(id);
      return { tasks: [...world.disk.tasks.values()], devices: devices.map(({ id }) => id) };
    };
    expect(await run()).toEqual(await run());
  });

  it('counts what happened', async () => {
    const world = await aWorld();
    await world.joined();
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec()));
    await world.ended(task.id);
    expect(world.coordinator.statistics()).toMatchObject({
      tasksSubmitted: 1,
      tasksEnded: { succeeded: 1, failed: 0 },
      attemptsEnded: { succeeded: 1 },
      placementsMade: 1,
      resultsKept: 1,
      resultsDropped: 0,
    });
    expect(world.coordinator.health()).toMatchObject({ status: 'ok', devices: { online: 1, known: 1 } });
  });
});
