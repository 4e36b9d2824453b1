import { Dice, type MachineSpec, World } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';

const machines: readonly MachineSpec[] = [
  { name: 'mini-pc', cores: 4, inferenceMs: 25, loadMs: 150 },
  { name: 'pi-5', cores: 4, inferenceMs: 80, loadMs: 400 },
  { name: 'pi-4', cores: 4, inferenceMs: 200, loadMs: 900 },
];
const heartbeatMs = 2_000;

async function aFleet(seed: number) {
  const world = await World.create({ seed, machines, networks: 2 });
  const create = world.coordinator.cameras.create({
    name: 'door',
    source: 'rtsp://fine/',
    pipeline: 'detect',
    targetFps: 2,
    parameters: {},
    loop: false,
    labels: {},
  });
  const { id: camera } = await world.settle(create);
  await world.clock.advance(10_000);
  const submit = async () => {
    const spec = { pipeline: 'noop', parameters: {}, labels: {}, deadlineMs: 60_000, maxAttempts: 3 };
    return (await world.settle(world.coordinator.tasks.submit(spec))).id;
  };
  return { world, camera, submit };
}

type Fleet = Awaited<ReturnType<typeof aFleet>>;

/** The link that each device speaks over, by its number. */
const inUse = ({ world }: Fleet) =>
  world.agents.map(({ status }) => status?.links.findIndex((link) => link.inUse) ?? -1);

/** Reports of the camera in the order in which its device numbered them, with those that are missing left out. */
function reportsOf({ world, camera }: Fleet): readonly number[] {
  const numbers: number[] = [];
  for (const { work } of world.disk.results.values())
    if ('camera' in work && work.camera === camera) numbers.push(work.report);
  return numbers;
}

describe('devices with two networks', () => {
  it('use the first while it is well', async () => {
    const fleet = await aFleet(1);
    await fleet.world.clock.advance(20_000);
    expect(inUse(fleet)).toEqual([0, 0, 0]);
  });

  it('go over to the second within two heartbeats when the first dies under all of them, and back', async () => {
    const fleet = await aFleet(2);
    const { world } = fleet;
    for (const { id } of world.agents) world.network.cut(id);
    await world.clock.advance(2 * heartbeatMs + 400);
    expect(inUse(fleet)).toEqual([1, 1, 1]);
    expect(world.coordinator.devices.list().map(({ presence }) => presence)).toEqual(['online', 'online', 'online']);
    for (const { id } of world.agents) world.network.heal(id);
    await world.clock.advance(60_000);
    expect(inUse(fleet)).toEqual([0, 0, 0]);
    await world.end();
  });

  it.each([10, 11, 12])(
    'are never given up, and lose and double nothing, while one of the two networks is well (seed %i)',
    async (seed) => {
      const fleet = await aFleet(seed);
      const { world, camera, submit } = fleet;
      const dice = Dice.of(seed, 'what befalls the networks');
      const gone: string[] = [];
      const tasks: string[] = [];
      const before = world.coordinator.cameras.get(camera).device;
      for (let round = 0; round < 60; round++) {
        for (const { id } of world.agents) {
          const network = dice.pick(world.networks);
          const other = world.networks.find((each) => each !== network);
          if (network.isCut(id)) network.heal(id);
          else if (!other?.isCut(id)) network.cut(id, dice.pick(['both', 'from', 'to']));
        }
        tasks.push(await submit());
        // Long enough for a device to have noticed before the other network is cut.
        await world.clock.advance(6_000 + 4_000 * dice.next());
        for (const { id, presence } of world.coordinator.devices.list()) if (presence === 'offline') gone.push(id);
      }
      for (const { id } of world.agents) for (const network of world.networks) network.heal(id);
      await world.clock.advance(60_000);
      expect(gone).toEqual([]);
      for (const id of tasks)
        expect(await world.settle(world.coordinator.tasks.get(id))).toMatchObject({ state: 'succeeded' });
      expect(world.coordinator.cameras.get(camera).device).toBe(before);
      const numbers = reportsOf(fleet);
      const last = Math.max(...numbers);
      expect(new Set(numbers).size).toBe(numbers.length);
      // What is on its way at this moment may be missing still.
      expect(Array.from({ length: last - 5 }, (_, at) => at + 1).filter((number) => !numbers.includes(number))).toEqual(
        [],
      );
      expect(world.defects).toEqual([]);
      await world.end();
    },
  );
});
