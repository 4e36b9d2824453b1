import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet } from '../support/fleet.ts';
import { freeUdpPort } from '../support/free-port.ts';
import { hasPhotos } from '../support/photos.ts';
import { submitPhoto, taskFinal } from '../support/tasks.ts';

describe.skipIf(!(await hasPhotos()))('a device that knows its coordinator by CoAP alone', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    const port = String(await freeUdpPort());
    const coordinatorArgs = ['--coap-host', '127.0.0.1', '--coap-port', port];
    fleet = await Fleet.start({ agents: 1, coordinatorArgs, address: `coap://127.0.0.1:${port}` });
  }, 120_000);
  afterAll(() => fleet?.[Symbol.asyncDispose]());

  it('joins, is given a picture, and analyses it', async () => {
    expect(fleet.agents[0]?.output).not.toContain('mqtt');
    const { state, attempts } = await taskFinal(fleet, await submitPhoto(fleet));
    expect({ state, attempts: attempts.length }).toEqual({ state: 'succeeded', attempts: 1 });
  }, 180_000);

  it('comes back, with what it was given meanwhile, when its coordinator was killed and started again', async () => {
    const id = await submitPhoto(fleet);
    fleet.coordinator.process.kill('SIGKILL');
    await fleet.restartCoordinator();
    expect(await taskFinal(fleet, id)).toMatchObject({ state: 'succeeded' });
  }, 180_000);
});
