import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ShoalError } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { loadInstalled, type ServiceStatus } from '../service/real/index.ts';
import { defaultData, type ServiceCommand } from './arguments.ts';

/** A token as it was given, or from the input when `-` was. */
export async function readToken(given: string): Promise<string> {
  return given === '-' ? (await text(process.stdin)).trim() : given;
}

interface Served {
  /** The exit code. */
  readonly code: number;
  readonly said: string;
}

/** Carries out a command about the service. @param environment may hold SHOAL_TRIAL_MS: how long a version on trial has, when a test is less patient than a minute */
export async function serve(
  command: ServiceCommand,
  signal: AbortSignal,
  environment: { readonly SHOAL_TRIAL_MS?: string | undefined },
): Promise<Served> {
  if (command.command === 'install') return install(command, signal);
  const { findService } = await loadInstalled();
  const service = await findService(command.root, systemClock, signal);
  if (!service) throw new ShoalError('not-found', 'no service is installed here: shoal-agent install TOKEN');
  if (command.command === 'upgrade') {
    const { kept, from, to, why } = await service.upgrade(command.source ?? ownPackage());
    const back = `${from} runs again: ${to} did not join within a minute (${why}).\n`;
    return kept
      ? { code: 0, said: `${to} runs and has joined. ${from} is kept beside it.\n` }
      : { code: 1, said: back };
  }
  if (command.command === 'settle') {
    const trialMs = Number(environment.SHOAL_TRIAL_MS);
    await service.settle(trialMs > 0 ? trialMs : undefined);
    return { code: 0, said: '' };
  }
  await service.uninstall(command);
  const rest = command.keepData
    ? `Its key, state and waiting results stay in ${service.layout.data}.`
    : 'The coordinator still knows the device.';
  return { code: 0, said: `The service is removed. ${rest}\n` };
}

async function install(
  command: ServiceCommand & { readonly command: 'install' },
  signal: AbortSignal,
): Promise<Served> {
  const { InstalledService, kindHere } = await loadInstalled();
  const kind = command.kind ?? (command.root === undefined ? kindHere() : 'systemd');
  const service = new InstalledService({ kind, root: command.root }, systemClock, signal);
  const token = command.token === undefined ? undefined : await readToken(command.token);
  const version = await service.install(ownPackage(), token, signal);
  const starts = service.isImage
    ? 'It starts with the machine that the folder is for.'
    : 'It runs, and starts with this machine.';
  const said = `shoal-agent ${version} is installed (${kind}). ${starts}\n${service.layout.command} status shows how it is.\n`;
  return { code: 0, said };
}

/**
 * The data folder that a look is at: the one that was named; else the default one, when it is there or no service is; else the service's. Who looks
 * as root does so as the owner of the folder from here on: what a look leaves behind must not be in the agent's way.
 */
export async function folderToLookAt(
  named: string | undefined,
  root: string | undefined,
): Promise<{ readonly data: string; readonly service: ServiceStatus | null }> {
  const { findService } = await loadInstalled();
  const installed = await findService(root, systemClock, new AbortController().signal);
  const service = installed ? await installed.status() : null;
  const data = named ?? (service && !existsSync(defaultData) ? service.data : defaultData);
  const owner = await stat(data).catch(() => undefined);
  if (process.getuid?.() === 0 && owner && owner.uid !== 0) {
    process.setgroups?.([]);
    process.setgid?.(owner.gid);
    process.setuid?.(owner.uid);
  }
  return { data, service };
}

/** How the service is, in words. */
export function describeService({ kind, running, version, joinedAt, lastUpgrade }: ServiceStatus): string[] {
  const state = !running
    ? 'is not running'
    : joinedAt
      ? `runs, joined ${joinedAt}`
      : 'runs and waits for its coordinator';
  const upgrade =
    lastUpgrade && !lastUpgrade.kept ? [`upgrade      ${lastUpgrade.to} was given up: ${lastUpgrade.why}`] : [];
  return [`service      ${kind}, version ${version}: ${state}`, ...upgrade];
}

/** The package that this program is of, bundled or not. */
function ownPackage(): string {
  const up = dirname(import.meta.dirname);
  return existsSync(join(up, 'package.json')) ? up : dirname(up);
}
