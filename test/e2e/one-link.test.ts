import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet } from '../support/fleet.ts';
import { freePort, freeUdpPort } from '../support/free-port.ts';
import { hasPhotos } from '../support/photos.ts';
import { submitPhoto, taskFinal } from '../support/tasks.ts';

/** MQTT is what all other fleets here use. */
const links = [
  { kind: 'coap', port: freeUdpPort },
  { kind: 'libp2p', port: freePort },
] as const;

describe.skipIf(!(await hasPhotos())).each(links)('a device that knows its coordinator by $kind alone', (link) => {
  let fleet: Fleet;

  beforeAll(async () => {
    const port = String(await link.port());
    const coordinatorArgs = [`--${link.kind}-host`, '127.0.0.1', `--${link.kind}-port`, port];
    fleet = await Fleet.start({ agents: 1, coordinatorArgs, address: `${link.kind}://127.0.0.1:${port}` });
  }, 120_000);
  afterAll(() => fleet?.[Symbol.asyncDispose]());

  it('joins, is given a picture, and analyses it', async () => {
    expect(fleet.agents[0]?.output).not.toContain('mqtt');
    const { state, attempts } = await taskFinal(fleet, await submitPhoto(fleet));
    expect({ state, attempts: attempts.length }).toEqual({ state: 'succeeded', attempts: 1 });
  }, 180_000);

  if (link.kind === 'libp2p') {
    it('says by gossip what it can do, and that is counted', async () => {
      // Gossip takes a heartbeat or two after the link is there.
      const heard = async () => (await fetch(`${fleet.url}/metrics`)).text();
      await expect.poll(heard, { timeout: 30_000 }).toMatch(/^shoal_adverts_heard_total [1-9]/m);
    }, 60_000);
  }

  it('comes back, with what it was given meanwhile, when its coordinator was killed and started again', async () => {
    const id = await submitPhoto(fleet);
    fleet.coordinator.process.kill('SIGKILL');
    await fleet.restartCoordinator();
    expect(await taskFinal(fleet, id)).toMatchObject({ state: 'succeeded' });
  }, 180_000);

  it('ends when it is revoked', async () => {
    const { items } = await fleet.json<{ items: { id: string }[] }>('GET', '/v1/devices');
    await fetch(`${fleet.url}/v1/devices/${items[0]?.id}`, { method: 'DELETE' });
    expect(await fleet.agents[0]?.ended()).toBe(1);
  }, 60_000);
});
