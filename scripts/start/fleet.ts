import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, type CameraAnswer as Camera, type DeviceAnswer as Device } from '@shoal/coordinator';
import { Child, type Death } from './child.ts';
import { deviceLines, followCamera } from './feed.ts';
import { fetchMaterials } from './materials.ts';

export interface FleetOptions {
  readonly camera?: string;
  readonly agents: number;
  readonly httpPort: number;
  readonly mqttPort: number;
  /** Kept when given; else a folder that is removed at the end. */
  readonly data?: string;
}

const joinPatienceMs = 60_000;
/** A device that has joined but not measured itself by then is used as it is. */
const measurePatienceMs = 20_000;
const pollMs = 150;
const sampleFps = 5;

/** Starts everything, shows what is seen, and takes everything down again. @returns the exit code */
export async function runFleet(options: FleetOptions, interrupted: AbortSignal): Promise<number> {
  const data = options.data === undefined ? await mkdtemp(join(tmpdir(), 'shoal-')) : resolve(options.data);
  const children: Child[] = [];
  const over = new AbortController();
  const signal = AbortSignal.any([interrupted, over.signal]);
  const start = (name: string, script: string, args: readonly string[]) => {
    const child = new Child({ name, script, args });
    children.push(child);
    return child;
  };
  try {
    const death = fatalDeath(children, signal);
    const failed = bringUp(options, data, start, signal).then(
      () => death,
      // A child that died is the reason of what failed after it.
      async (error: unknown) => {
        const died = await Promise.race([death, sleep(pollMs * 4, undefined, { signal: over.signal })]);
        return died ?? `npm start: ${error instanceof Error ? error.message : error}`;
      },
    );
    const reason = await Promise.race([death, failed, aborted(interrupted)]);
    if (reason === undefined) return 0;
    console.error(`\n${reason}`);
    return 1;
  } finally {
    over.abort();
    if (interrupted.aborted) console.log('\nStopping: work in hand is being finished.');
    // Agents first: what they still have to deliver needs the coordinator.
    const [coordinator, ...agents] = children;
    await Promise.all(agents.map((agent) => agent.end()));
    await coordinator?.end();
    if (options.data === undefined) await rm(data, { recursive: true, force: true });
  }
}

type Start = (name: string, script: string, args: readonly string[]) => Child;

async function bringUp(options: FleetOptions, data: string, start: Start, signal: AbortSignal): Promise<undefined> {
  const { clip } = await fetchMaterials(options.camera === undefined, signal);
  const coordinator = start('coordinator', 'coordinator/bin/shoal.js', coordinatorArgs(options, data));
  const where = JSON.parse(await coordinator.firstLine((line) => line.startsWith('{'))) as Where;
  signal.throwIfAborted();
  sayMovedPorts(options, where);
  const api = new ApiClient({ url: where.url });
  const { word } = await api.call<{ word: string }>('POST', '/v1/tokens', { json: { uses: options.agents }, signal });
  const agents = Array.from({ length: options.agents }, (_, index) => {
    const number = index + 1;
    const folder = join(data, `agent-${number}`);
    const args = ['join', word, '--data', folder, '--name', deviceName(number, options.agents)];
    return start(`agent ${number}`, 'agent/bin/shoal-agent.js', args);
  });
  const source = options.camera ?? clip ?? '';
  // The camera comes after the measuring: a device that watches has no time to measure itself.
  const devices = await joined(api, agents, signal);
  const camera = await attach(api, source, options.camera === undefined, signal);
  sayReady(where, devices, camera);
  await followCamera(api, camera, signal);
  return undefined;
}

/** The host’s name, numbered when there are several. */
function deviceName(number: number, agents: number): string {
  return agents === 1 ? hostname() : `${hostname()}-${number}`;
}

interface Where {
  readonly url: string;
  readonly mqttUrls: readonly string[];
}

function coordinatorArgs({ httpPort, mqttPort }: FleetOptions, data: string): string[] {
  const ports = [
    '--http-port',
    String(httpPort),
    '--mqtt-port',
    String(mqttPort),
    '--mqtt-host',
    '127.0.0.1',
    '--port-search',
  ];
  return ['coordinator', '--data', join(data, 'coordinator'), ...ports, '--insecure-loopback', '--json'];
}

/** One camera, the same one again when the data was kept from an earlier run. */
async function attach(api: ApiClient, source: string, sample: boolean, signal: AbortSignal): Promise<Camera> {
  const isFile = existsSync(source);
  const name = sample ? 'people.webm' : isFile ? basename(source) : (URL.parse(source)?.hostname ?? 'camera');
  const spec = { name, source: isFile ? resolve(source) : source, targetFps: sampleFps, loop: isFile };
  const { items } = await api.call<{ items: Camera[] }>('GET', '/v1/cameras', { signal });
  const known = items.find((camera) => camera.name === name);
  if (known) return api.call<Camera>('PUT', `/v1/cameras/${known.id}`, { json: spec, signal });
  return api.call<Camera>('POST', '/v1/cameras', { json: spec, signal });
}

/** The devices, once all that live have joined and measured themselves, or have had time enough to. */
async function joined(api: ApiClient, agents: readonly Child[], signal: AbortSignal): Promise<Device[]> {
  const sinceMs = performance.now();
  for (;;) {
    const { items } = await api.call<{ items: Device[] }>('GET', '/v1/devices', { signal });
    const online = items.filter(({ presence }) => presence === 'online');
    const count = agents.filter(({ isGone }) => !isGone).length;
    if (online.length >= count && online.every(({ profiles }) => profiles.length > 0)) return online;
    const waitedMs = performance.now() - sinceMs;
    if (online.length >= count && waitedMs > measurePatienceMs) return online;
    if (waitedMs > joinPatienceMs) {
      if (online.length > 0) return online;
      throw new Error(`no agent has joined within ${joinPatienceMs / 1_000} s`);
    }
    await sleep(pollMs, undefined, { signal });
  }
}

function sayMovedPorts({ httpPort, mqttPort }: FleetOptions, { url, mqttUrls }: Where): void {
  const moved = (what: string, wanted: number, got: string | undefined) => {
    if (wanted !== 0 && got !== undefined && got !== String(wanted))
      console.log(`${what} port ${wanted} is taken: using ${got}.`);
  };
  moved('HTTP', httpPort, new URL(url).port);
  moved('MQTT', mqttPort, mqttUrls[0]?.split(':').at(-1));
}

function sayReady({ url }: Where, devices: readonly Device[], camera: Camera): void {
  console.log(['', ...devices.flatMap(deviceLines), ''].join('\n'));
  console.log(`Open  ${url}          live: what the cameras see, the fleet, tasks, proofs   (the REST API: /docs)`);
  console.log('Try   npx shoal analyze FILE      what is in a picture, where it ran and why   (in another terminal)');
  console.log('      npx shoal devices           the fleet');
  console.log('      npx shoal cameras           the cameras: add, change and remove them while it runs');
  console.log(`Stop  Ctrl-C\n\nWatching ${camera.name}:`);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}

/**
 * Waits for a death that ends the fleet: the coordinator's, or that of the last agent. Of each one before it a line is said. Children that are started
 * later are seen, too.
 */
async function fatalDeath(children: readonly Child[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const watched = new Set<Child>();
    const mourn = (child: Child, death: Death) => {
      const [coordinator, ...agents] = children;
      if (child === coordinator || agents.every(({ isGone }) => isGone)) resolve(death.obituary);
      else console.log(survivedLine(child, death));
    };
    const timer = setInterval(() => {
      for (const child of children) {
        if (watched.has(child)) continue;
        watched.add(child);
        void child.diedUnasked().then((death) => mourn(child, death));
      }
    }, pollMs);
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  });
}

function survivedLine({ name }: Child, { how, lastLine }: Death): string {
  const words = lastLine === '' ? '' : ` Its last line: ${lastLine}`;
  return `The ${name} has ended (${how}): its cameras move to the others.${words}`;
}
