import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { asShoalError } from '@shoal/protocol';
import { findFfmpeg } from '../analyze/index.ts';
import { type ConnectionOptions, connect } from '../client/index.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { bytesText, type Paint, paintFor, printable } from '../output/index.ts';
import type { World } from '../world.ts';

/** One thing that was looked at. `remedy`: what to do when it is not `ok`. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly remedy?: string;
}

/** What this machine can decode, run and reach. Fails only when something that Shoal cannot do without is missing. */
export async function doctor(options: ConnectionOptions & { json: boolean }, world: World): Promise<ExitCode> {
  const groups = await Promise.all([
    checkNode(),
    checkVideo(world),
    checkAgent(world),
    checkCoordinator(options, world),
  ]);
  const checks = groups.flat();
  const failed = checks.some(({ status }) => status === 'fail');
  const paint = paintFor(world.stdout, world.env);
  world.stdout.write(
    options.json ? `${JSON.stringify({ checks, ok: !failed }, undefined, 2)}\n` : checksText(checks, paint),
  );
  return failed ? exitCodes.failed : exitCodes.ok;
}

function checksText(checks: readonly Check[], paint: Paint): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const sign = { ok: paint('green', 'ok  '), warn: paint('yellow', 'warn'), fail: paint('red', 'FAIL') };
  const lines = checks.map(({ name, status, detail, remedy }) => {
    const advice =
      remedy === undefined ? '' : `\n      ${' '.repeat(width)}  ${paint('cyan', 'do:')} ${printable(remedy)}`;
    return `${sign[status]}  ${name.padEnd(width)}  ${printable(detail)}${advice}\n`;
  });
  return lines.join('');
}

async function checkNode(): Promise<Check[]> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const enough = major > 22 || (major === 22 && minor >= 13);
  const detail = `Node ${process.versions.node} on ${process.platform} ${process.arch}`;
  if (enough) return [{ name: 'runtime', status: 'ok', detail }];
  return [{ name: 'runtime', status: 'fail', detail, remedy: 'install Node 24 (https://nodejs.org)' }];
}

async function checkVideo(world: World): Promise<Check[]> {
  const name = 'video';
  try {
    const ffmpeg = await findFfmpeg(world.env['PATH']);
    const { stdout } = await promisify(execFile)(ffmpeg, ['-hide_banner', '-version'], { timeout: 10_000 });
    const version = /ffmpeg version (\S+)/.exec(stdout)?.[1] ?? 'of unknown version';
    const bundled = ffmpeg.includes('node_modules');
    if (!bundled) return [{ name, status: 'ok', detail: `ffmpeg ${version} (${ffmpeg})` }];
    const remedy = 'install your system’s ffmpeg: it is newer, and gets security updates';
    return [{ name, status: 'warn', detail: `ffmpeg ${version}, an old build that came along`, remedy }];
  } catch (thrown) {
    return [{ name, status: 'warn', detail: asShoalError(thrown).message, remedy: 'sudo apt install ffmpeg' }];
  }
}

/** The machine part is the agent's to know: it is asked, when it is installed here. */
async function checkAgent(world: World): Promise<Check[]> {
  const name = 'agent';
  const agent = await findAgent(world.env['PATH']);
  if (agent === undefined) {
    return [
      {
        name,
        status: 'warn',
        detail: 'not installed here: this machine runs no models',
        remedy: 'npm install -g @shoal/agent',
      },
    ];
  }
  try {
    const { stdout } = await runAgentDoctor(agent, world.interrupted);
    return agentChecks(JSON.parse(stdout) as AgentReport);
  } catch (thrown) {
    return [
      {
        name,
        status: 'fail',
        detail: `shoal-agent doctor failed: ${asShoalError(thrown).message}`,
        remedy: 'run shoal-agent doctor by itself',
      },
    ];
  }
}

/** Its exit code says whether something is wrong; what it wrote is read either way. */
async function runAgentDoctor(agent: string, signal: AbortSignal): Promise<{ stdout: string }> {
  const options = { timeout: 120_000, maxBuffer: 4 << 20, signal };
  return promisify(execFile)(process.execPath, [agent, 'doctor', '--json'], options).catch(
    (error: { stdout?: string }) => {
      if (typeof error.stdout === 'string' && error.stdout.trim().startsWith('{')) return { stdout: error.stdout };
      throw error;
    },
  );
}

/** The part of `shoal-agent doctor --json` that is shown here. */
interface AgentReport {
  readonly hardware: {
    readonly cpu?: { readonly model?: string; readonly usableCores?: number };
    readonly memory?: { readonly usableBytes?: number };
    readonly disk?: { readonly freeBytes?: number };
    readonly accelerators?: readonly { readonly name?: string }[];
  };
  readonly video: { readonly decoders: readonly string[] };
  readonly engines: readonly { readonly name: string; readonly works: boolean; readonly detail: string }[];
  readonly models: readonly string[];
}

/** What the agent advises besides is about what is checked here too. */
function agentChecks({ hardware, video, engines, models }: AgentReport): Check[] {
  const { cpu, memory, disk, accelerators = [] } = hardware;
  const machine = [
    cpu?.model ?? 'unknown processor',
    `${cpu?.usableCores ?? '?'} cores`,
    bytesText(memory?.usableBytes ?? 0),
    accelerators.map(({ name }) => name ?? 'accelerator').join(', ') || 'no accelerator found',
  ];
  const works = engines.filter((engine) => engine.works);
  const details = engines.map((engine) => `${engine.name}: ${engine.detail}`).join('; ');
  return [
    { name: 'machine', status: 'ok', detail: machine.join(', ') },
    {
      name: 'decodes',
      status: video.decoders.length > 0 ? 'ok' : 'warn',
      detail: video.decoders.join(', ') || 'no video',
    },
    { name: 'runs', status: works.length > 0 ? 'ok' : 'fail', detail: details },
    { name: 'models', status: 'ok', detail: models.join(', ') || 'none here yet: the first task fetches its own' },
    ...(disk?.freeBytes === undefined ? [] : [diskCheck(disk.freeBytes)]),
  ];
}

/** Less free disk than this is worth a word, bytes. */
const lowDiskBytes = 500e6;

function diskCheck(freeBytes: number): Check {
  const detail = `${bytesText(freeBytes)} free`;
  if (freeBytes >= lowDiskBytes) return { name: 'disk', status: 'ok', detail };
  return {
    name: 'disk',
    status: 'warn',
    detail,
    remedy: 'free some: results wait on the disk while the coordinator is away',
  };
}

/** `shoal-agent` on the path, or beside this package. */
async function findAgent(path: string | undefined): Promise<string | undefined> {
  const folders = (path ?? '').split(delimiter).filter((folder) => folder !== '');
  for (let folder = import.meta.dirname; dirname(folder) !== folder; folder = dirname(folder)) {
    folders.push(join(folder, 'node_modules', '.bin'));
  }
  for (const folder of folders) {
    const candidate = join(folder, 'shoal-agent');
    const found = await access(candidate, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  return undefined;
}

async function checkCoordinator(options: ConnectionOptions, world: World): Promise<Check[]> {
  const name = 'coordinator';
  try {
    const api = await connect(options, world);
    const { version } = await api.call<{ version: string }>('GET', '/v1/version');
    const { items } = await api.call<{ items: { presence: string }[] }>('GET', '/v1/devices');
    const online = items.filter(({ presence }) => presence === 'online').length;
    const reached: Check = { name, status: 'ok', detail: `Shoal ${version} answers at ${api.url}` };
    const detail = `${online} of ${items.length} online`;
    if (online > 0) return [reached, { name: 'devices', status: 'ok', detail }];
    return [
      reached,
      {
        name: 'devices',
        status: 'warn',
        detail,
        remedy: 'shoal token create, then on a device: shoal-agent join TOKEN',
      },
    ];
  } catch (thrown) {
    const [detail = '', ...advice] = asShoalError(thrown).message.split('\n');
    return [
      {
        name,
        status: 'warn',
        detail,
        remedy: advice.length > 0 ? 'npm start, or shoal coordinator' : 'check --url and --key',
      },
    ];
  }
}
