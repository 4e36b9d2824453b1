import { ShoalError } from '@shoal/protocol';
import type { AgentLife, Dice } from '../world/index.ts';
import type { Life } from './life.ts';
import type { Operation } from './operation.ts';

const hourMs = 3_600_000;
const yearMs = 365.25 * 24 * hourMs;
const usualWriteMs = 2;
const fullPct = 95;

/** What happens to a fleet that nobody asked for. */
export const faults: readonly Operation[] = [
  { name: 'an agent crashes or starts', weight: 18, kind: 'fault', run: toggleAgent },
  { name: 'a device is cut off or connected', weight: 16, kind: 'fault', run: toggleCut },
  { name: 'the coordinator crashes', weight: 4, kind: 'fault', run: crashCoordinator },
  { name: 'the coordinator starts', weight: 20, kind: 'fault', run: startCoordinator },
  { name: 'the disk of the coordinator is full', weight: 1.5, kind: 'fault', run: fillDisk },
  { name: 'the disk of the coordinator has room', weight: 10, kind: 'fault', run: emptyDisk },
  { name: 'the disk of the coordinator becomes slow or fast', weight: 2, kind: 'fault', run: changeDiskSpeed },
  { name: 'a device hangs', weight: 5, kind: 'fault', run: stall },
  { name: 'a battery has another level', weight: 3, kind: 'fault', run: changeBattery },
  { name: 'a charger is plugged in or out', weight: 2, kind: 'fault', run: toggleCharger },
  { name: 'a device runs hot, or not any more', weight: 3, kind: 'fault', run: changeHeat },
  { name: 'the sensors of a device make no sense, or do again', weight: 2, kind: 'fault', run: changeSensors },
  { name: 'the profiles of a device are wrong by a hundred', weight: 1, kind: 'fault', run: distortProfiles },
  { name: 'the disk of a device is full, torn, or well', weight: 3, kind: 'fault', run: changeAgentDisk },
  { name: 'the disk of a device becomes slow or fast', weight: 2, kind: 'fault', run: changeAgentDiskSpeed },
  { name: 'a link becomes slow or fast', weight: 4, kind: 'fault', run: changeLink },
  { name: 'the fleet is split, or whole again', weight: 3, kind: 'fault', run: toggleSplit },
  { name: 'no source of video can be reached, or can again', weight: 1, kind: 'fault', run: toggleSources },
  { name: 'a wall clock jumps', weight: 2, kind: 'fault', run: jump },
  { name: 'a wall clock drifts', weight: 2, kind: 'fault', run: drift },
  { name: 'a device takes a new key', weight: 1.5, kind: 'fault', run: changeKey },
  { name: 'somebody meddles with the wire', weight: 12, kind: 'fault', run: meddle },
];

/** Brings the world in order, as far as a person with a screwdriver could: what was begun must end now. */
export async function mend(life: Life): Promise<void> {
  const { world } = life;
  world.disk.failure = undefined;
  world.coordinatorLife.writeMs = usualWriteMs;
  world.sources.gone = false;
  world.network.join();
  for (const { id } of world.agents) {
    world.network.heal(id);
    world.network.limit(id, undefined);
  }
  if (!world.coordinatorIsUp) await life.startCoordinator();
  for (const agent of world.agents) await mendDevice(life, agent);
}

async function mendDevice({ world }: Life, agent: AgentLife): Promise<void> {
  const { machine, disk } = agent;
  if (machine.stalled) agent.crash();
  machine.mend();
  disk.mend();
  if (machine.battery) {
    machine.battery.levelPct = fullPct;
    machine.battery.pluggedIn = true;
  }
  if (!agent.isUp) await world.settle(agent.start());
}

async function toggleAgent(life: Life, dice: Dice): Promise<boolean> {
  const agent = life.someMember(dice);
  if (!agent) return false;
  if (agent.isUp) agent.crash();
  else await life.startAgent(agent);
  life.world.note(`${agent.id} ${agent.isUp ? 'starts' : 'crashed'}`);
  return true;
}

async function toggleCut(life: Life, dice: Dice): Promise<boolean> {
  const { network } = life.world;
  const agent = life.someMember(dice);
  if (!agent) return false;
  const { id } = agent;
  if (network.isCut(id)) network.heal(id);
  else network.cut(id, dice.pick(['both', 'both', 'from', 'to']));
  life.world.note(`${id} is ${network.isCut(id) ? 'cut off' : 'connected'}`);
  return true;
}

async function crashCoordinator({ world }: Life, dice: Dice): Promise<boolean> {
  if (!world.coordinatorIsUp) return false;
  world.crashCoordinator(dice.pick(['lost', 'done']));
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
  return true;
}

async function emptyDisk({ world }: Life): Promise<boolean> {
  if (!world.disk.failure) return false;
  world.disk.failure = undefined;
  return true;
}

async function changeDiskSpeed({ world }: Life, dice: Dice): Promise<boolean> {
  world.coordinatorLife.writeMs = dice.pick([1, 2, 2, 40, 300]);
  return true;
}

async function stall(life: Life, dice: Dice): Promise<boolean> {
  const agent = life.someMember(dice);
  if (!agent) return false;
  agent.machine.stalled = true;
  life.world.note(`${agent.id} hangs`);
  return true;
}

/** Below every floor, at the fleet's, a little above it, full. */
async function changeBattery(life: Life, dice: Dice): Promise<boolean> {
  const battery = life.someMember(dice)?.machine.battery;
  if (!battery) return false;
  battery.levelPct = dice.pick([5, 30, 32, 34, fullPct]);
  return true;
}

async function toggleCharger(life: Life, dice: Dice): Promise<boolean> {
  const battery = life.someMember(dice)?.machine.battery;
  if (!battery) return false;
  battery.pluggedIn = !battery.pluggedIn;
  return true;
}

/** So hot that it takes nothing, or only slow. */
async function changeHeat(life: Life, dice: Dice): Promise<boolean> {
  const machine = life.someMember(dice)?.machine;
  if (!machine) return false;
  const [temperatureC, slowdown] = dice.pick([
    [45, 1],
    [80, 3],
    [88, 8],
    [95, 8],
  ] as const);
  machine.temperatureC = temperatureC;
  machine.slowdown = slowdown;
  return true;
}

async function changeSensors(life: Life, dice: Dice): Promise<boolean> {
  const machine = life.someMember(dice)?.machine;
  if (!machine) return false;
  const nonsense = dice.pick([Number.NaN, Infinity, -Infinity, -40, 1e300]);
  machine.sensorsSay = machine.sensorsSay === undefined ? nonsense : undefined;
  return true;
}

/** They are read at a start. */
async function distortProfiles(life: Life, dice: Dice): Promise<boolean> {
  const agent = life.someMember(dice);
  if (!agent) return false;
  agent.crash();
  agent.disk.profileFactor = dice.pick([0.01, 100]);
  await life.startAgent(agent);
  return true;
}

async function changeAgentDisk(life: Life, dice: Dice): Promise<boolean> {
  const agent = life.someMember(dice);
  if (!agent) return false;
  agent.disk.state = agent.disk.state === 'well' ? dice.pick(['full', 'torn']) : 'well';
  life.world.note(`the disk of ${agent.id} is ${agent.disk.state}`);
  return true;
}

async function changeAgentDiskSpeed(life: Life, dice: Dice): Promise<boolean> {
  const agent = life.someMember(dice);
  if (!agent) return false;
  agent.disk.writeMs = dice.pick([1, 5, 5, 200, 2_000]);
  return true;
}

/** From as fast as any down to a bad mobile network. */
async function changeLink(life: Life, dice: Dice): Promise<boolean> {
  const agent = life.someMember(dice);
  if (!agent) return false;
  const bytesPerMs = dice.pick([undefined, 100, 10, 2]);
  life.world.network.limit(agent.id, bytesPerMs);
  life.world.note(`the link of ${agent.id} carries ${bytesPerMs ?? 'any'} bytes a ms`);
  return true;
}

async function toggleSplit({ world: { network, agents } }: Life, dice: Dice): Promise<boolean> {
  if (network.isSplit) network.join();
  else network.split(agents.filter(() => dice.chance(0.5)).map(({ id }) => id));
  return true;
}

async function toggleSources({ world: { sources } }: Life): Promise<boolean> {
  sources.gone = !sources.gone;
  return true;
}

/** By hours, as a wrong time zone does, or by years, as a board without a battery for its clock. */
async function jump({ world }: Life, dice: Dice): Promise<boolean> {
  const { wall } = dice.pick([world.coordinatorLife, ...world.agents]);
  wall.offsetMs += dice.pick([-5 * hourMs, -36_000, 36_000, 5 * hourMs, -10 * yearMs, 10 * yearMs]);
  return true;
}

async function drift(life: Life, dice: Dice): Promise<boolean> {
  const { wall } = dice.pick([life.world.coordinatorLife, ...life.world.agents]);
  wall.drift(dice.pick([-0.05, 0, 0.001, 0.05]), life.nowMs);
  return true;
}

/** As `shoal-agent rekey` does: at the next start, which is at once. A cut cable stays cut. */
async function changeKey(life: Life, dice: Dice): Promise<boolean> {
  const { network } = life.world;
  const agent = life.someMember(dice);
  if (!agent || agent.isChangingKey) return false;
  const { id: former } = agent;
  agent.crash();
  agent.prepareNewKey(life.world.newDeviceKey(dice));
  if (network.isCut(former)) network.cut(agent.id);
  life.world.note(`${former} has a new key: ${agent.id}`);
  await life.startAgent(agent);
  return true;
}

async function meddle({ world }: Life, dice: Dice): Promise<boolean> {
  world.wiretap.meddle([world.coordinatorLife.id, ...world.agents.map(({ id }) => id)], dice);
  return true;
}
