import type { BlobRef, CameraSpec, Task, TaskSpec } from '@shoal/coordinator';
import { ShoalError } from '@shoal/protocol';
import type { Life } from './life.ts';

/** Something that may happen in a life. */
export interface Operation {
  readonly name: string;
  /** How often, compared to the others. */
  readonly weight: number;
  readonly kind: 'work' | 'fault';
  /** @returns false when it could not happen just then */
  run(life: Life): Promise<boolean | undefined>;
}

const hourMs = 3_600_000;
/** Cameras that are there at the same time, at most. */
const mostCameras = 3;
const never = new AbortController().signal;

/** All that happens in a life, by how often it does. */
export const operations: readonly Operation[] = [
  { name: 'a task comes', weight: 60, kind: 'work', run: submit },
  { name: 'a task comes again under its key', weight: 6, kind: 'work', run: submitAgain },
  { name: 'a task is cancelled', weight: 6, kind: 'work', run: cancel },
  { name: 'a camera comes', weight: 3, kind: 'work', run: createCamera },
  { name: 'a camera is changed', weight: 3, kind: 'work', run: changeCamera },
  { name: 'a camera goes', weight: 1, kind: 'work', run: removeCamera },
  { name: 'a device is drained, or not any more', weight: 2, kind: 'work', run: toggleDraining },
  { name: 'a device is revoked', weight: 0.4, kind: 'work', run: revoke },

  { name: 'an agent crashes or starts', weight: 9, kind: 'fault', run: toggleAgent },
  { name: 'a device is cut off or connected', weight: 12, kind: 'fault', run: toggleCut },
  { name: 'the coordinator crashes', weight: 4, kind: 'fault', run: crashCoordinator },
  { name: 'the coordinator starts', weight: 20, kind: 'fault', run: startCoordinator },
  { name: 'the coordinator crashes at a submission', weight: 2, kind: 'fault', run: crashAtSubmission },
  { name: 'the disk of the coordinator is full', weight: 1.5, kind: 'fault', run: fillDisk },
  { name: 'the disk of the coordinator has room', weight: 10, kind: 'fault', run: emptyDisk },
  { name: 'the disk of the coordinator becomes slow or fast', weight: 2, kind: 'fault', run: changeDiskSpeed },
  { name: 'a device hangs', weight: 2, kind: 'fault', run: stall },
  { name: 'a battery is nearly empty or full', weight: 4, kind: 'fault', run: changeBattery },
  { name: 'a wall clock jumps', weight: 2, kind: 'fault', run: jump },
  { name: 'somebody meddles with the wire', weight: 12, kind: 'fault', run: meddle },
];

/** Brings the world in order, as far as a person with a screwdriver could: what was begun must end now. */
export async function mend(life: Life): Promise<void> {
  const { world } = life;
  world.disk.failure = undefined;
  world.coordinatorLife.writeMs = 2;
  for (const { id } of world.agents) world.network.heal(id);
  if (!world.coordinatorIsUp) await life.startCoordinator();
  for (const agent of world.agents) {
    if (agent.machine.stalled) agent.crash();
    charge(life, agent);
    if (!agent.isUp) await world.settle(agent.start());
  }
}

async function submit(life: Life): Promise<boolean> {
  if (!life.world.coordinatorIsUp) return false;
  const spec = await aSpec(life);
  if (!spec) return false;
  const key = life.chance(0.3) ? `key-${life.keys.size}` : undefined;
  if (key !== undefined) life.keys.set(key, { spec });
  const task = await life.ask(life.world.coordinator.tasks.submit(spec, key));
  if (task) life.acknowledge(task, key);
  return true;
}

/** Perhaps the first time was not acknowledged. */
async function submitAgain(life: Life): Promise<boolean> {
  if (!life.world.coordinatorIsUp || life.keys.size === 0) return false;
  const [key, { spec }] = life.pick([...life.keys]);
  const task = await life.ask(life.world.coordinator.tasks.submit(spec, key));
  if (task) life.acknowledge(task, key);
  return true;
}

/** The caller does not know whether its task was taken, and asks again under the same key some time. */
async function crashAtSubmission(life: Life): Promise<boolean> {
  const { world } = life;
  if (!world.coordinatorIsUp) return false;
  const spec = await aSpec(life);
  if (!spec) return false;
  const key = `key-${life.keys.size}`;
  life.keys.set(key, { spec });
  let task: Task | undefined;
  world.coordinator.tasks.submit(spec, key).then(
    (acknowledged) => {
      task = acknowledged;
    },
    () => {},
  );
  await world.clock.advance(world.random.next() * 2 * world.coordinatorLife.writeMs);
  if (task) life.acknowledge(task, key);
  world.crashCoordinator();
  return true;
}

async function cancel(life: Life): Promise<boolean> {
  if (!life.world.coordinatorIsUp || life.tasks.size === 0) return false;
  const { id } = life.pick([...life.tasks.values()]);
  await life.ask(life.world.coordinator.tasks.cancel(id));
  return true;
}

async function createCamera(life: Life): Promise<boolean> {
  const here = [...life.cameras.values()].filter(({ removed }) => !removed);
  if (!life.world.coordinatorIsUp || here.length >= mostCameras) return false;
  const camera = await life.ask(life.world.coordinator.cameras.create(aCamera(life)));
  if (camera) life.cameras.set(camera.id, { removed: false });
  return true;
}

async function changeCamera(life: Life): Promise<boolean> {
  const id = someCamera(life);
  if (id === undefined) return false;
  await life.ask(life.world.coordinator.cameras.update(id, aCamera(life)));
  return true;
}

async function removeCamera(life: Life): Promise<boolean> {
  const id = someCamera(life);
  const camera = life.cameras.get(id ?? '');
  if (id === undefined || !camera) return false;
  const removed = await life.ask(life.world.coordinator.cameras.remove(id).then(() => true));
  if (removed) camera.removed = true;
  return true;
}

function someCamera(life: Life): string | undefined {
  const here = [...life.cameras].filter(([, { removed }]) => !removed);
  return life.world.coordinatorIsUp && here.length > 0 ? life.pick(here)[0] : undefined;
}

async function toggleDraining(life: Life): Promise<boolean> {
  if (!life.world.coordinatorIsUp) return false;
  const { devices } = life.world.coordinator;
  const { id } = life.pickAgent();
  await life.ask(devices.update(id, { draining: !devices.get(id).draining }));
  return true;
}

/** At least two devices stay. */
async function revoke(life: Life): Promise<boolean> {
  const { world } = life;
  if (!world.coordinatorIsUp || world.disk.failure || life.members.length <= 2) return false;
  const { id } = life.pickAgent();
  world.note(`${id} is revoked`);
  life.revokedAtMs.set(id, life.nowMs);
  await world.settle(world.coordinator.devices.revoke(id));
  return true;
}

async function toggleAgent(life: Life): Promise<undefined> {
  const agent = life.pickAgent();
  if (agent.isUp) agent.crash();
  else await life.world.settle(agent.start());
  life.world.note(`${agent.id} ${agent.isUp ? 'starts' : 'crashed'}`);
}

async function toggleCut(life: Life): Promise<undefined> {
  const { network } = life.world;
  const { id } = life.pickAgent();
  if (network.isCut(id)) network.heal(id);
  else network.cut(id, life.pick(['both', 'both', 'from', 'to']));
  life.world.note(`${id} is ${network.isCut(id) ? 'cut off' : 'connected'}`);
}

async function crashCoordinator({ world }: Life): Promise<boolean> {
  if (!world.coordinatorIsUp) return false;
  world.crashCoordinator();
  return true;
}

/** With a full disk it does not start. */
async function startCoordinator(life: Life): Promise<boolean> {
  if (life.world.coordinatorIsUp || life.world.disk.failure) return false;
  await life.startCoordinator();
  return true;
}

async function fillDisk({ world }: Life): Promise<boolean> {
  if (world.disk.failure) return false;
  world.disk.failure = new ShoalError('io.disk-full', 'the disk is full');
  world.note('the disk is full');
  return true;
}

async function emptyDisk({ world }: Life): Promise<boolean> {
  if (!world.disk.failure) return false;
  world.disk.failure = undefined;
  world.note('the disk has room');
  return true;
}

async function changeDiskSpeed(life: Life): Promise<undefined> {
  life.world.coordinatorLife.writeMs = life.pick([1, 2, 2, 40, 300]);
}

async function stall(life: Life): Promise<undefined> {
  const { id, machine } = life.pickAgent();
  machine.stalled = true;
  life.world.note(`${id} hangs`);
}

async function changeBattery(life: Life): Promise<boolean> {
  const agent = life.members.find(({ machine }) => machine.batteryPct !== undefined);
  if (!agent) return false;
  if (life.belowFloorSinceMs.has(agent.id)) charge(life, agent);
  else {
    agent.machine.batteryPct = 5;
    life.belowFloorSinceMs.set(agent.id, life.nowMs);
  }
  return true;
}

function charge(life: Life, { id, machine }: Life['members'][number]): void {
  machine.batteryPct = machine.spec.batteryPct;
  life.belowFloorSinceMs.delete(id);
}

async function jump(life: Life): Promise<undefined> {
  const { coordinatorLife } = life.world;
  const { wall } = life.pick([coordinatorLife, ...life.members]);
  wall.offsetMs += life.pick([-5, -0.01, 0.01, 5]) * hourMs;
}

async function meddle({ world }: Life): Promise<undefined> {
  world.wiretap.meddle([world.coordinatorLife.id, ...world.agents.map(({ id }) => id)]);
}

async function aSpec(life: Life): Promise<TaskSpec | undefined> {
  const pipeline = life.pick(['detect', 'detect', 'classify', 'noop']);
  const input = pipeline === 'noop' ? undefined : await aPicture(life);
  if (pipeline !== 'noop' && !input) return undefined;
  return {
    pipeline,
    ...(input && { input }),
    parameters: {},
    deadlineMs: life.chance(0.2) ? 1 + Math.floor(life.world.random.next() * 3_000) : 120_000,
    labels: life.chance(0.1) ? { site: 'yard' } : {},
    ...(life.chance(0.1) && { device: life.pick(life.world.agents).id }),
    maxAttempts: life.pick([1, 5, 5]),
  };
}

/** Small enough to go along with its task, or too large for that. */
function aPicture(life: Life): Promise<BlobRef | undefined> {
  const picture = life.world.random.bytes(life.pick([64, 64, 3_000]));
  const pieces = (async function* () {
    yield picture;
  })();
  return life.ask(life.world.coordinator.blobs.put(pieces, 'image/jpeg', never));
}

function aCamera(life: Life): CameraSpec {
  return {
    name: 'a camera',
    source: life.pick(['rtsp://fine/', 'rtsp://fine/', 'rtsp://breaks/']),
    pipeline: 'detect',
    targetFps: life.pick([0.3, 0.5, 1]),
    parameters: {},
    loop: false,
    labels: life.chance(0.2) ? { site: 'yard' } : {},
    ...(life.chance(0.1) && { device: life.pickAgent().id }),
  };
}
