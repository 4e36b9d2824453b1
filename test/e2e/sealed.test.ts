import { describe, expect, it } from 'vitest';
import { Eavesdropper } from '../support/eavesdropper.ts';
import { Fleet } from '../support/fleet.ts';
import { freePort } from '../support/free-port.ts';

const picture = 'what the camera on the porch has seen';
const label = 'the-name-of-the-site';

/** What somebody between a real device and its real coordinator learns while the device joins, works and is told of a coordinator that was killed. */
describe.each(['required', 'off'] as const)('a fleet that seals: %s', (seal) => {
  it(`lets somebody on the wire read ${seal === 'off' ? 'everything' : 'nothing'}`, async () => {
    const mqttPort = await freePort();
    await using wire = await Eavesdropper.before(mqttPort);
    const coordinatorArgs = [
      ...['--seal', seal, '--mqtt-port', String(mqttPort)],
      ...['--address', `mqtt://127.0.0.1:${wire.port}`],
    ];
    await using fleet = await Fleet.start({ agents: 1, coordinatorArgs });
    const { items } = await fleet.json<{ items: { id: string; sealed: boolean; capability: { software: string } }[] }>(
      'GET',
      '/v1/devices',
    );
    const [device] = items;
    expect(device?.sealed).toBe(seal !== 'off');
    await fleet.json('PATCH', `/v1/devices/${device?.id}`, { labels: { site: label } });
    await work(fleet);
    fleet.coordinator.process.kill('SIGKILL');
    await fleet.restartCoordinator();
    await fleet.untilOnline(1);
    await work(fleet);
    const { software = '' } = device?.capability ?? {};
    expect(software).not.toBe('');
    for (const said of [picture, software, 'payloadType', 'noop', label])
      expect([said, wire.heard(said)]).toEqual([said, seal === 'off']);
    // Who speaks with whom is seen, sealed or not.
    expect(wire.heard(device?.id ?? '')).toBe(true);
  }, 120_000);
});

/** A task whose proof leaves the device, and a picture, which is none, that goes to it. */
async function work(fleet: Fleet): Promise<void> {
  expect(await fleet.json('POST', '/v1/tasks?wait=60000', { pipeline: 'noop' })).toMatchObject({ state: 'succeeded' });
  const form = new FormData();
  form.set('pipeline', 'detect');
  form.set('file', new Blob([picture], { type: 'image/jpeg' }), 'porch.jpg');
  const response = await fetch(`${fleet.url}/v1/tasks?wait=60000`, { method: 'POST', body: form });
  expect(await response.json()).toMatchObject({ state: 'failed', errorCode: 'input.unsupported' });
}
