import { World } from '@shoal/simulations';
import { absoluteFigure, type Bench, median, type Report } from '../harness.ts';

const agents = 1_000;
const settleSeconds = 20;
const rounds = 7;
const secondsRound = 5;

export const worldBench: Bench = {
  name: 'world',
  title: `${agents} whole agents with a camera each, one frame a second, in a world of one process`,
  async run(report) {
    const { speed } = await measured(report);
    return [absoluteFigure(`${agents} whole agents`, 'x real time', speed, { atLeast: 10 })];
  },
};

interface Measured {
  /** Virtual seconds in a second of one core. */
  readonly speed: number;
}

async function measured(report: Report): Promise<Measured> {
  const heldBytes = process.memoryUsage().rss;
  const startMs = performance.now();
  const world = await joinedWorld();
  await advance(world, settleSeconds);
  report.line(`${agents} agents joined and watching after ${((performance.now() - startMs) / 1_000).toFixed(1)} s`);
  const speeds: number[] = [];
  const wallSpeeds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = world.disk.results.size;
    const { cpuSeconds, wallSeconds } = await spent(() => advance(world, secondsRound));
    checkReports(world.disk.results.size - before);
    speeds.push(secondsRound / cpuSeconds);
    wallSpeeds.push(secondsRound / wallSeconds);
  }
  const usedMb = (process.memoryUsage().rss - heldBytes) / 1e6;
  report.noise('virtual seconds in a second of a core', speeds);
  const speed = median(speeds);
  report.line(
    `${(1e6 / speed / agents).toFixed(0)} us of a core for each second of an agent; ${median(wallSpeeds).toFixed(1)} x real time by the clock; ${usedMb.toFixed(0)} MB`,
  );
  await world.end();
  return { speed };
}

async function joinedWorld(): Promise<World> {
  const machines = Array.from({ length: agents }, (_, number) => ({
    name: `pi-5 ${number}`,
    cores: 4,
    inferenceMs: 80,
    loadMs: 400,
  }));
  const world = await World.create({ seed: 1, machines });
  const cameras = world.agents.map(({ id }) =>
    world.coordinator.cameras.create({
      name: 'a camera',
      source: 'rtsp://fine/',
      pipeline: 'detect',
      targetFps: 1,
      parameters: {},
      loop: false,
      labels: {},
      device: id,
    }),
  );
  await world.settle(Promise.all(cameras));
  return world;
}

async function advance(world: World, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) await world.clock.advance(1_000);
}

/** One that is on its way at one end of a round is at the other. */
function checkReports(count: number): void {
  const expected = agents * secondsRound;
  if (Math.abs(count - expected) > expected / 100) throw new Error(`${count} reports were kept, not ${expected}`);
}

/** The core's time, which others that use the machine do not change, and the clock's. */
async function spent(action: () => Promise<void>): Promise<{ cpuSeconds: number; wallSeconds: number }> {
  const startMs = performance.now();
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - startMs) / 1_000 };
}
