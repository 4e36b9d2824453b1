import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Child, residentMb } from '../../support/child.ts';
import { Fleet } from '../../support/fleet.ts';
import { freePort } from '../../support/free-port.ts';
import { absoluteFigure, type Bench, type Report } from '../harness.ts';

/** `SHOAL_BENCH_DEVICES` takes fewer, for a look. */
const devices = Number(process.env['SHOAL_BENCH_DEVICES'] ?? 19_000);
const processes = 4;
const heartbeatS = 30;
/** Beats that are counted for the processor time. */
const measureS = 2 * heartbeatS;
const joinTimeoutMs = 600_000;
const returnTimeoutMs = 300_000;
const processFolder = join(import.meta.dirname, '../processes');
/** Of the devices, by process. */
const shares = Array.from({ length: processes }, (_, number) => Math.floor((devices + number) / processes));
/** One for each process: there are 28,000 ports to an address. */
const addressOf = (number: number) => `127.0.0.${number + 2}`;

interface State {
  readonly joined: number;
  readonly connected: number;
  readonly connections: number;
  readonly hellos: number;
  readonly heartbeats: number;
}

export const connections: Bench = {
  name: 'connections',
  title: 'very many joined devices on one embedded broker: memory, heartbeats, and all of them back after a restart',
  async missing() {
    const limit = /Max open files\s+(\d+)/.exec(await readFile('/proc/self/limits', 'utf8').catch(() => ''))?.[1];
    if (limit === undefined) return 'only Linux says what a process takes';
    return Number(limit) < devices + 200 ? `a process may have ${limit} open files only (ulimit -n)` : undefined;
  },
  async run(report) {
    const coordinatorArgs = [
      ...['--device-limit', String(devices), '--heartbeat', String(heartbeatS), '--log-level', 'error'],
      ...['--mqtt-host', '0.0.0.0', '--mqtt-port', String(await freePort())],
    ];
    await using fleet = await Fleet.start({ agents: 0, coordinatorArgs });
    await reportFloor(report);
    const emptyMb = await residentMb(fleet.coordinator.pid);
    const children = await joinAll(fleet, report);
    await using _ = {
      [Symbol.asyncDispose]: async () => void (await Promise.all(children.map((each) => each.stop()))),
    };
    const eachKb = ((await residentMb(fleet.coordinator.pid)) - emptyMb) * (1024 / devices);
    const cores = await coresTaken(fleet, children, report);
    const backS = await restart(fleet, children, report);
    return [
      absoluteFigure(`${devices} devices, resident each`, 'KB', eachKb, { atMost: 12 }),
      absoluteFigure(`heartbeats every ${heartbeatS} s`, 'cores', cores, { atMost: 0.5 }),
      absoluteFigure('all joined again after a restart', 's', backS, { atMost: 60 }),
    ];
  },
};

/** What Node and aedes take by themselves of as many connections that say nothing, collected as the coordinator is. */
async function reportFloor(report: Report): Promise<void> {
  const kb = {
    sockets: await residentEachKb('tcp', 'net-server.mjs'),
    clients: await residentEachKb('mqtt', 'aedes-broker.mjs'),
  };
  report.line(
    `the floor: ${kb.sockets.toFixed(1)} KB for a socket of Node, ${kb.clients.toFixed(1)} KB for a client of a bare aedes with a subscription`,
  );
}

async function residentEachKb(kind: 'tcp' | 'mqtt', script: string): Promise<number> {
  const server = new Child(process.execPath, ['--optimize-for-size', join(processFolder, script)]);
  const [, port = ''] = await server.line(/port (\d+)/);
  await sleep(1);
  const emptyMb = await residentMb(server.pid);
  const clients = shares.map(
    (share, number) =>
      new Child(process.execPath, [
        ...[join(processFolder, 'idle-clients.mjs'), kind],
        ...[addressOf(number), port, String(share)],
      ]),
  );
  try {
    await Promise.all(clients.map((client) => client.line(/open/, joinTimeoutMs)));
    return ((await residentMb(server.pid)) - emptyMb) * (1024 / devices);
  } finally {
    await Promise.all(clients.map((client) => client.stop()));
    await server.stop();
  }
}

async function joinAll(fleet: Fleet, report: Report): Promise<readonly Child[]> {
  const token = await fleet.createToken(devices);
  const script = join(processFolder, 'many-devices.ts');
  const startMs = performance.now();
  const children = shares.map((share, number) => {
    const url = `mqtt://${addressOf(number)}:${fleet.mqttPort}`;
    return new Child(process.execPath, [script, token, url, String(share)]);
  });
  await until(children, ({ joined }) => joined >= devices, joinTimeoutMs, report);
  const seconds = (performance.now() - startMs) / 1000;
  report.line(`${devices} devices joined in ${seconds.toFixed(0)} s, ${(devices / seconds).toFixed(0)} a second`);
  return children;
}

async function coresTaken(fleet: Fleet, children: readonly Child[], report: Report): Promise<number> {
  // The beats of the first interval are spread over it.
  await sleep(heartbeatS);
  const [before, beforeMs] = [await stateOf(children), await processorMs(fleet.coordinator.pid)];
  const startMs = performance.now();
  await sleep(measureS);
  const spentMs = (await processorMs(fleet.coordinator.pid)) - beforeMs;
  const wallMs = performance.now() - startMs;
  const beats = (await stateOf(children)).heartbeats - before.heartbeats;
  report.line(
    `${beats} signed heartbeats answered in ${(wallMs / 1000).toFixed(0)} s: ${(spentMs / beats).toFixed(3)} ms of processor each`,
  );
  if (beats < (0.8 * devices * wallMs) / (heartbeatS * 1000))
    report.line('fewer heartbeats than there should have been');
  return spentMs / wallMs;
}

async function restart(fleet: Fleet, children: readonly Child[], report: Report): Promise<number> {
  const before = await stateOf(children);
  const beforeMs = await processorMsOf(children);
  fleet.coordinator.process.kill('SIGKILL');
  const startMs = performance.now();
  await fleet.restartCoordinator();
  const readyS = (performance.now() - startMs) / 1000;
  await until(children, ({ joined }) => joined >= devices, returnTimeoutMs, report);
  const after = await stateOf(children);
  const perDevice = (name: 'connections' | 'hellos') => ((after[name] - before[name]) / devices).toFixed(2);
  report.line(
    `the coordinator was there again after ${readyS.toFixed(1)} s; each device connected ${perDevice('connections')} times and said ${perDevice('hellos')} hellos`,
  );
  const seconds = (performance.now() - startMs) / 1000;
  const [own, theirs] = [await processorMs(fleet.coordinator.pid), (await processorMsOf(children)) - beforeMs];
  report.line(
    `that took ${(own / 1000).toFixed(0)} s of processor of the coordinator and ${(theirs / 1000).toFixed(0)} s of the devices, which share ${availableParallelism()} cores here`,
  );
  return seconds;
}

async function processorMsOf(children: readonly Child[]): Promise<number> {
  const all = await Promise.all(children.map(({ pid }) => processorMs(pid)));
  return all.reduce((sum, ms) => sum + ms, 0);
}

async function until(
  children: readonly Child[],
  isDone: (state: State) => boolean,
  timeoutMs: number,
  report: Report,
): Promise<void> {
  const startMs = performance.now();
  for (let saidMs = startMs; ; ) {
    const state = await stateOf(children);
    if (isDone(state)) return;
    const nowMs = performance.now();
    if (nowMs - startMs > timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${JSON.stringify(state)}`);
    if (nowMs - saidMs >= 10_000) {
      report.line(`  after ${((nowMs - startMs) / 1000).toFixed(0)} s: ${JSON.stringify(state)}`);
      saidMs = nowMs;
    }
    await sleep(0.25);
  }
}

/** Of all processes together. */
async function stateOf(children: readonly Child[]): Promise<State> {
  const states = await Promise.all(
    children.map(async ({ process: child }) => {
      const answer = once(child, 'message');
      child.send('state');
      return (await answer)[0] as State;
    }),
  );
  const sum = (name: keyof State) => states.reduce((total, state) => total + state[name], 0);
  return {
    joined: sum('joined'),
    connected: sum('connected'),
    connections: sum('connections'),
    hellos: sum('hellos'),
    heartbeats: sum('heartbeats'),
  };
}

/** Of all threads of a process so far (proc(5): utime and stime, in hundredths of a second). */
async function processorMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
