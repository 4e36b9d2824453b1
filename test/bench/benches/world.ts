import { type SignatureKind, World } from '@shoal/simulations';
import { absoluteFigure, type Bench, cpuMs, median, type Report } from '../harness.ts';

const agents = 1_000;
const settleSeconds = 20;
/** As large fleets have it: at the usual two seconds it is a third of all that is said. */
const telemetryIntervalMs = 30_000;
const rounds = 7;
const secondsRound = 5;

export const worldBench: Bench = {
  name: 'world',
  title: `${agents} whole agents with a camera each, one frame a second, in a world of one process`,
  async run(report) {
    const real = await speedOf('ed25519', report);
    const simulated = await speedOf('simulated', report);
    report.line(`with real signatures: ${real.toFixed(1)} x real time`);
    return [absoluteFigure(`${agents} agents, signatures simulated`, 'x real time', simulated, { atLeast: 10 })];
  },
};

/** Virtual seconds in a second of one core. */
async function speedOf(signatures: SignatureKind, report: Report): Promise<number> {
  const startMs = performance.now();
  const world = await joinedWorld(signatures);
  await advance(world, settleSeconds);
  report.line(
    `${signatures}: ${agents} agents joined and watching after ${((performance.now() - startMs) / 1_000).toFixed(1)} s`,
  );
  const speeds: number[] = [];
  const wallSpeeds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = world.disk.results.size;
    const { cpuSeconds, wallSeconds } = await spent(() => advance(world, secondsRound));
    checkReports(world.disk.results.size - before);
    speeds.push(secondsRound / cpuSeconds);
    wallSpeeds.push(secondsRound / wallSeconds);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  report.noise(`${signatures}, virtual seconds in a second of a core`, speeds);
  const speed = median(speeds);
  report.line(
    `${(1e6 / speed / agents).toFixed(0)} us of a core for each second of an agent; ${median(wallSpeeds).toFixed(1)} x real time by the clock; ${((heapUsed + arrayBuffers) / 1e6).toFixed(0)} MB`,
  );
  await world.end();
  return speed;
}

async function joinedWorld(signatures: SignatureKind): Promise<World> {
  const machines = Array.from({ length: agents }, (_, number) => ({
    name: `pi-5 ${number}`,
    cores: 4,
    inferenceMs: 80,
    loadMs: 400,
  }));
  const world = await World.create({
    seed: 1,
    machines,
    signatures,
    coordinator: { telemetryIntervalMs, livenessTimeoutMs: 3 * telemetryIntervalMs },
  });
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
  const beforeMs = cpuMs();
  await action();
  return { cpuSeconds: (cpuMs() - beforeMs) / 1_000, wallSeconds: (performance.now() - startMs) / 1_000 };
}
