import type { Task } from '@shoal/coordinator';
import { toHex } from '@shoal/protocol';
import type { Dice } from '../world/index.ts';
import type { Life } from './life.ts';
import type { Operation } from './operation.ts';
import { aCamera, aSpec } from './specs.ts';

/** Tasks and cameras that come at once, now and then. */
const burst = { tasks: 25, cameras: 4 };

/** What people and programs ask for. */
export const work: readonly Operation[] = [
  { name: 'a task comes', weight: 50, kind: 'work', run: submit },
  { name: 'many tasks come at once', weight: 1, kind: 'work', run: submitMany },
  { name: 'a task comes again under its key', weight: 6, kind: 'work', run: submitAgain },
  { name: 'a task is cancelled', weight: 6, kind: 'work', run: cancel },
  { name: 'a camera comes', weight: 4, kind: 'work', run: createCamera },
  { name: 'many cameras come at once', weight: 0.3, kind: 'work', run: createCameras },
  { name: 'a camera is changed', weight: 3, kind: 'work', run: changeCamera },
  { name: 'a camera goes', weight: 2, kind: 'work', run: removeCamera },
  { name: 'a device is drained, or not any more', weight: 2, kind: 'work', run: toggleDraining },
  { name: 'a device is revoked', weight: 0.4, kind: 'work', run: revoke },
  { name: 'the coordinator crashes at a submission', weight: 2, kind: 'fault', run: crashAtSubmission },
];

async function submit(life: Life, dice: Dice): Promise<boolean> {
  if (!life.world.coordinatorIsUp) return false;
  const key = dice.chance(0.3) ? newKey(dice) : undefined;
  const spec = await aSpec(life, dice);
  if (!spec) return true;
  if (key !== undefined) life.keys.set(key, { spec });
  const task = await life.ask(life.world.coordinator.tasks.submit(spec, key));
  if (task) life.acknowledge(task, key);
  return true;
}

async function submitMany(life: Life, dice: Dice): Promise<boolean> {
  if (!life.world.coordinatorIsUp) return false;
  for (let count = 0; count < burst.tasks; count++) await submit(life, dice);
  return true;
}

/** Perhaps the first time was not acknowledged. */
async function submitAgain(life: Life, dice: Dice): Promise<boolean> {
  if (!life.world.coordinatorIsUp || life.keys.size === 0) return false;
  const [key, { spec }] = dice.pick([...life.keys]);
  const task = await life.ask(life.world.coordinator.tasks.submit(spec, key));
  if (task) life.acknowledge(task, key);
  return true;
}

/** The caller does not know whether its task was taken, and asks again under the same key some time. */
async function crashAtSubmission(life: Life, dice: Dice): Promise<boolean> {
  const { world } = life;
  if (!world.coordinatorIsUp) return false;
  const key = newKey(dice);
  const spec = await aSpec(life, dice);
  if (!spec) return true;
  life.keys.set(key, { spec });
  let task: Task | undefined;
  world.coordinator.tasks.submit(spec, key).then(
    (acknowledged) => {
      task = acknowledged;
    },
    () => {},
  );
  await world.clock.advance(dice.next() * 2 * world.coordinatorLife.writeMs);
  if (task) life.acknowledge(task, key);
  world.crashCoordinator();
  return true;
}

function newKey(dice: Dice): string {
  return `key-${toHex(dice.bytes(4))}`;
}

async function cancel(life: Life, dice: Dice): Promise<boolean> {
  const task = life.someTask(dice);
  if (!life.world.coordinatorIsUp || !task) return false;
  await life.ask(life.world.coordinator.tasks.cancel(task.id));
  return true;
}

/** More than a fleet may have are refused. */
async function createCamera(life: Life, dice: Dice): Promise<boolean> {
  if (!life.world.coordinatorIsUp) return false;
  const camera = await life.ask(life.world.coordinator.cameras.create(aCamera(life, dice)));
  if (camera) life.cameras.set(camera.id, { removed: false });
  return true;
}

async function createCameras(life: Life, dice: Dice): Promise<boolean> {
  if (!life.world.coordinatorIsUp) return false;
  for (let count = 0; count < burst.cameras; count++) await createCamera(life, dice);
  return true;
}

async function changeCamera(life: Life, dice: Dice): Promise<boolean> {
  const id = someCamera(life, dice);
  if (id === undefined) return false;
  await life.ask(life.world.coordinator.cameras.update(id, aCamera(life, dice)));
  return true;
}

async function removeCamera(life: Life, dice: Dice): Promise<boolean> {
  const id = someCamera(life, dice);
  const camera = life.cameras.get(id ?? '');
  if (id === undefined || !camera) return false;
  const removed = await life.ask(life.world.coordinator.cameras.remove(id).then(() => true));
  if (removed) camera.removed = true;
  return true;
}

function someCamera(life: Life, dice: Dice): string | undefined {
  const here = [...life.cameras].filter(([, { removed }]) => !removed);
  return life.world.coordinatorIsUp && here.length > 0 ? dice.pick(here)[0] : undefined;
}

/** One whose new key the coordinator may not have heard of cannot be named by it. */
async function toggleDraining(life: Life, dice: Dice): Promise<boolean> {
  const agent = life.someMember(dice);
  if (!life.world.coordinatorIsUp || !agent || agent.isChangingKey) return false;
  const { devices } = life.world.coordinator;
  await life.ask(devices.update(agent.id, { draining: !devices.get(agent.id).draining }));
  return true;
}

/** At least two devices stay. */
async function revoke(life: Life, dice: Dice): Promise<boolean> {
  const { world } = life;
  const agent = life.someMember(dice);
  if (!world.coordinatorIsUp || world.disk.failure || life.members.length <= 2) return false;
  if (!agent || agent.isChangingKey) return false;
  life.revokedAtMs.set(agent.id, life.nowMs);
  await world.settle(world.coordinator.devices.revoke(agent.id));
  return true;
}
