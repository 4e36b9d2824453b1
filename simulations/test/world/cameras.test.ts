import type { Camera } from '@shoal/coordinator';
import { type AgentLife, type MachineSpec, World } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

const machines: readonly MachineSpec[] = [
  { name: 'mini-pc', cores: 4, inferenceMs: 25, loadMs: 150 },
  { name: 'pi-5', cores: 4, inferenceMs: 80, loadMs: 400 },
];
const frameMs = 500;

/** A world in which a camera has run for a while, with two frames a second. */
async function aWorldThatWatches(seed: number) {
  const world = await World.create({ seed, machines });
  const made = world.coordinator.cameras.create({
    name: 'door',
    source: 'rtsp://fine/',
    pipeline: 'detect',
    targetFps: 1_000 / frameMs,
    parameters: {},
    loop: false,
    labels: {},
  });
  const { id } = await world.settle(made);
  await world.clock.advance(30_000);
  const camera = () => world.coordinator.cameras.get(id);
  const first = camera().device;
  const old = world.agents.find((agent) => agent.id === first);
  if (!old) throw new Error('the camera runs nowhere');
  return { world, id, camera, old };
}

/** When results of the camera came, ms, and from whom. */
async function resultsOf(world: World, id: string) {
  const { items } = await world.settle(world.coordinator.results.ofCamera(id, { limit: 500 }));
  return items
    .map(({ receivedAtMs, device }) => ({ receivedAtMs, device }))
    .sort((a, b) => a.receivedAtMs - b.receivedAtMs);
}

const strikes: readonly [string, (world: World, old: AgentLife) => unknown, number, RegExp][] = [
  // Ten seconds of silence until it is believed to be dead, which is looked for each 2.5; then the model is loaded elsewhere.
  ['dies', (_world, old) => old.crash(), 14_000, /silent for 10000 ms/],
  ['is drained', (world, old) => world.coordinator.devices.update(old.id, { draining: true }), 2 * frameMs, /drained/],
  [
    'overheats',
    (_world, old) => {
      old.machine.temperatureC = 87;
    },
    2 * frameMs,
    /too hot to watch cameras: it is at 87 °C/,
  ],
];

describe('a camera of a world whose device', () => {
  it.each(strikes)('%s goes on elsewhere, and is off the old one', async (_what, strike, longestGapMs, why) => {
    const { world, id, camera, old } = await aWorldThatWatches(1);
    const before: Camera = camera();
    await world.settle(Promise.resolve(strike(world, old)));
    await world.clock.advance(60_000);
    const after = camera();
    expect(after.device).not.toBe(before.device);
    expect(after.service).toMatchObject({ met: true });
    const [move, ...others] = after.moves ?? [];
    expect(others).toEqual([]);
    expect(move).toMatchObject({ from: before.device, to: after.device, reason: expect.stringMatching(why) });
    const results = await resultsOf(world, id);
    const gaps = results.map(({ receivedAtMs }, at) => receivedAtMs - (results[at - 1]?.receivedAtMs ?? receivedAtMs));
    expect(Math.max(...gaps)).toBeLessThan(longestGapMs);
    expect(move?.gapMs).toBeLessThanOrEqual(Math.max(...gaps));
    expect(results.at(-1)?.device).toBe(after.device);
    expect(old.status?.cameras ?? []).toEqual([]);
    expect(world.defects).toEqual([]);
    await world.end();
  });
});
