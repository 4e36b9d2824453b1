import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Fleet } from '../support/fleet.ts';
import { hasMosquitto, Mosquitto } from '../support/mosquitto.ts';
import { hasPhotos } from '../support/photos.ts';
import { submitPhoto, taskFinal } from '../support/tasks.ts';

let fleet: Fleet;
afterEach(() => fleet?.[Symbol.asyncDispose]());

describe.skipIf(!(await hasPhotos()))('processes that are killed', () => {
  it('loses no task when the coordinator is killed right after it said 202', async () => {
    fleet = await Fleet.start({ agents: 1 });
    const ids = await Promise.all(Array.from({ length: 20 }, () => submitPhoto(fleet)));
    fleet.coordinator.process.kill('SIGKILL');
    await fleet.restartCoordinator();
    for (const id of ids) expect(await taskFinal(fleet, id)).toMatchObject({ state: 'succeeded' });
  }, 120_000);

  it('runs the task again elsewhere when its agent is killed in the middle of it', async () => {
    fleet = await Fleet.start({ agents: 2 });
    const ids = await Promise.all(Array.from({ length: 30 }, () => submitPhoto(fleet)));
    const [victim] = fleet.agents;
    victim?.process.kill('SIGKILL');
    for (const id of ids) {
      const task = await taskFinal(fleet, id);
      expect(task).toMatchObject({ state: 'succeeded' });
    }
  }, 120_000);
});

describe.skipIf(!(await hasPhotos()) || !(await hasMosquitto()))('a broker that goes away for a minute', () => {
  it('loses nothing: what was acknowledged meanwhile is done when it is back', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'shoal-broker-'));
    await using broker = await Mosquitto.start(directory);
    fleet = await Fleet.start({ agents: 1, broker: broker.url });
    const patient = { deadlineMs: '300000' };
    const before = await submitPhoto(fleet, patient);
    await broker.kill();
    const meanwhile = await Promise.all(Array.from({ length: 10 }, () => submitPhoto(fleet, patient)));
    // The minute is what the test is about: longer than every timeout of liveness and of leases.
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    await broker.restart();
    for (const id of [before, ...meanwhile]) expect(await taskFinal(fleet, id)).toMatchObject({ state: 'succeeded' });
    await rm(directory, { recursive: true, force: true });
  }, 240_000);
});
