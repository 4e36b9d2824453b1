import { ShoalError } from '@shoal/protocol';
import type { AgentLife, Dice } from '../world/index.ts';
import type { Life } from './life.ts';
import type { Operation } from './operation.ts';

const hourMs = 3_600_000;

/** What happens to a fleet that nobody asked for. */
export const faults: readonly Operation[] = [
  { name: 'an agent crashes or starts', weight: 9, kind: 'fault', run: toggleAgent },
  { name: 'a device is cut off or connected', weight: 12, kind: 'fault', run: toggleCut },
  { name: 'the coordinator crashes', weight: 4, kind: 'fault', run: crashCoordinator },
  { name: 'the coordinator starts', weight: 20, kind: 'fault', run: startCoordinator },
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

async function toggleAgent(life: Life, dice: Dice): Promise<boolean> {
  const agent = life.someMember(dice);
  if (!agent) return false;
  if (agent.isUp) agent.crash();
  else await life.world.settle(agent.start());
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

function charge(life: Life, { id, machine }: AgentLife): void {
  machine.batteryPct = machine.spec.batteryPct;
  life.belowFloorSinceMs.delete(id);
}

async function jump({ world }: Life, dice: Dice): Promise<boolean> {
  const { wall } = dice.pick([world.coordinatorLife, ...world.agents]);
  wall.offsetMs += dice.pick([-5, -0.01, 0.01, 5]) * hourMs;
  return true;
}

async function meddle({ world }: Life, dice: Dice): Promise<boolean> {
  world.wiretap.meddle([world.coordinatorLife.id, ...world.agents.map(({ id }) => id)], dice);
  return true;
}
