import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Clock, delay, ShoalError } from '@shoal/protocol';
import {
  type Layout,
  launchdJob,
  launchdTrialJob,
  layoutOf,
  type ServiceKind,
  serviceKinds,
  serviceName,
  systemdTrialUnit,
  systemdUnit,
  sysusers,
  termuxBootScript,
} from '../index.ts';
import { type ServiceManager, serviceManager } from './control.ts';
import { readRunRecord } from './run-record.ts';
import { beginTrial, readOutcome, settleTrial, type UpgradeOutcome, writeDurably } from './upgrade.ts';
import { Versions } from './versions.ts';

/** Where a service is, or is to be. */
export interface ServicePlace {
  readonly kind: ServiceKind;
  /** The folder that stands for `/` (for Termux: for the person's home): an image that is prepared, or a test; left out: this machine. */
  readonly root?: string | undefined;
}

export interface ServiceStatus {
  readonly kind: ServiceKind;
  readonly running: boolean;
  readonly version: string;
  readonly data: string;
  /** When the agent that runs was welcomed; null while it waits for its coordinator. */
  readonly joinedAt: string | null;
  readonly lastUpgrade: UpgradeOutcome | null;
}

/** The agent as a service of a machine. */
export class InstalledService {
  readonly layout: Layout;
  readonly #place: ServicePlace;
  readonly #clock: Clock;
  readonly #versions: Versions;
  readonly #manager: ServiceManager;

  /** @param signal ends every wait for its processes */
  constructor(place: ServicePlace, clock: Clock, signal: AbortSignal) {
    this.#place = place;
    this.#clock = clock;
    this.layout = layoutOf(place.kind, place.kind === 'termux' ? resolve(place.root ?? homedir()) : '/');
    this.#versions = new Versions(this.at(this.layout.home));
    this.#manager = serviceManager(this.layout, { at: (path) => this.at(path), clock, signal });
  }

  /** Where a path of the layout is, seen from here. */
  at(path: string): string {
    const { kind, root } = this.#place;
    return kind === 'termux' || root === undefined ? path : join(resolve(root), path);
  }

  get installed(): boolean {
    return existsSync(join(this.at(this.layout.home), 'service.json'));
  }

  /** Another root, and the service manager is not that of this machine: files are written, nothing is started. */
  get isImage(): boolean {
    return this.#place.kind !== 'termux' && this.#place.root !== undefined;
  }

  /**
   * @param source the installed package of the agent
   * @param token left out: the data folder has joined before
   */
  async install(source: string, token: string | undefined, signal: AbortSignal): Promise<string> {
    this.#mayChange();
    if (this.installed)
      throw new ShoalError('conflict', 'it is installed already: shoal-agent upgrade, or uninstall first');
    const data = this.at(this.layout.data);
    const joinedBefore = existsSync(join(data, 'agent.db'));
    if (token === undefined && !joinedBefore) {
      throw new ShoalError(
        'input.invalid',
        'install needs a token (shoal token create makes one): shoal-agent install TOKEN',
      );
    }
    // Whoever installs may keep new files to himself: the service is another user.
    process.umask(0o022);
    try {
      const version = await this.#versions.add(source);
      await this.#versions.point('current', version);
      await this.#writeFiles();
      const user = await this.#makeUser();
      await mkdir(data, { recursive: true, mode: 0o700 });
      await mkdir(this.at(this.layout.cache), { recursive: true, mode: 0o700 });
      if (user) await call('chown', ['-R', `${user.uid}:${user.gid}`, data, this.at(this.layout.cache)]);
      if (token !== undefined) await this.#join(token, user, signal);
      if (!this.isImage) await this.#manager.enable();
      return version;
    } catch (error) {
      await this.#remove({ keepData: joinedBefore });
      throw error;
    }
  }

  /** Removes every trace, but for the data folder when it is to be kept. */
  async uninstall({ keepData }: { readonly keepData: boolean }): Promise<void> {
    this.#mayChange();
    this.#mustBeInstalled();
    if (!this.isImage) await this.#manager.disable();
    await this.#remove({ keepData });
  }

  /** Begins the trial of another version and waits for its end. */
  async upgrade(source: string): Promise<UpgradeOutcome> {
    this.#mayChange();
    this.#mustBeInstalled();
    process.umask(0o022);
    const version = await this.#versions.add(source);
    await beginTrial(this.#upgradeDeps, version);
    await this.#manager.settle();
    for (;;) {
      const outcome = await readOutcome(this.at(this.layout.home));
      if (outcome) return outcome;
      await delay(this.#clock, 'service/upgrade', 200);
    }
  }

  /** @param patienceMs how long the version on trial has to join */
  async settle(patienceMs?: number): Promise<UpgradeOutcome | undefined> {
    return settleTrial(this.#upgradeDeps, patienceMs);
  }

  async status(): Promise<ServiceStatus> {
    const { kind, data, home } = this.layout;
    const record = await readRunRecord(this.at(data));
    const running = !this.isImage && (await this.#manager.running());
    const joinedAtMs = running ? record?.joinedAtMs : undefined;
    return {
      kind,
      running,
      version: (await this.#versions.linked('current')) ?? 'none',
      data: this.at(data),
      joinedAt: joinedAtMs ? new Date(joinedAtMs).toISOString() : null,
      lastUpgrade: (await readOutcome(this.at(home))) ?? null,
    };
  }

  get #upgradeDeps() {
    const { home, data } = this.layout;
    const [versions, manager, clock] = [this.#versions, this.#manager, this.#clock];
    return { home: this.at(home), data: this.at(data), versions, manager, clock };
  }

  #mustBeInstalled(): void {
    if (!this.installed) throw new ShoalError('not-found', 'no service is installed here: shoal-agent install TOKEN');
  }

  #mayChange(): void {
    const needsRoot = this.#place.kind !== 'termux' && this.#place.root === undefined;
    if (needsRoot && process.getuid?.() !== 0) {
      throw new ShoalError('auth.forbidden', 'a service belongs to the whole machine: run it as root, with sudo');
    }
  }

  async #writeFiles(): Promise<void> {
    const { layout } = this;
    const { units, kind } = layout;
    await writeDurably(join(this.at(layout.home), 'service.json'), {
      kind,
      root: this.#place.root ? resolve(this.#place.root) : null,
    });
    const texts: Readonly<Record<ServiceKind, Partial<Record<keyof Layout['units'], () => string>>>> = {
      systemd: {
        agent: () => systemdUnit(layout),
        trial: () => systemdTrialUnit(layout),
        users: () => sysusers(layout),
      },
      launchd: { agent: () => launchdJob(layout, person()), trial: () => launchdTrialJob(layout) },
      termux: { agent: () => termuxBootScript(layout, termuxShell()) },
    };
    for (const [name, path] of Object.entries(units)) {
      const text = texts[kind][name as keyof Layout['units']];
      if (path === undefined || !text) continue;
      await mkdir(dirname(this.at(path)), { recursive: true });
      await writeFile(this.at(path), text());
    }
    if (kind === 'termux') await chmod(this.at(units.agent ?? ''), 0o755);
    await mkdir(dirname(this.at(layout.command)), { recursive: true });
    await rm(this.at(layout.command), { force: true });
    await symlink(`${layout.home}/current/shoal-agent`, this.at(layout.command));
  }

  /** The user that the service is, when it is not whoever installs it. */
  async #makeUser(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
    if (this.isImage || this.#place.kind === 'termux') return undefined;
    if (this.#place.kind === 'systemd') await call('systemd-sysusers', [this.layout.units.users ?? '']);
    const name = this.#place.kind === 'systemd' ? serviceName : person();
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async (which) => Number(await call('id', [which, name]))));
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  }

  /** Joins as the service will be, so that what is wrong with the token or the network is said here and now. */
  async #join(token: string, user: { uid: number; gid: number } | undefined, signal: AbortSignal): Promise<void> {
    const { home, data, cache } = this.layout;
    const sinceMs = this.#clock.nowMs();
    const env = { ...process.env, SHOAL_CACHE_DIR: this.at(cache), HOME: this.at(data) };
    // By its input: arguments are seen by everybody on the machine.
    const child = spawn(join(this.at(home), 'current/shoal-agent'), ['join', '-', '--data', this.at(data)], {
      ...(user && { uid: user.uid, gid: user.gid }),
      env,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'pipe'],
      signal,
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < 10_000) said += chunk;
    });
    child.stdin.end(`${token}\n`);
    const ended = once(child, 'exit').catch(() => {});
    let gone = false;
    void ended.then(() => {
      gone = true;
    });
    try {
      for (;;) {
        const record = await readRunRecord(this.at(data));
        if (record && record.startedAtMs >= sinceMs && record.joinedAtMs) return;
        if (gone) throw new ShoalError('token.refused', `it did not join: ${lastWords(said)}`);
        await delay(this.#clock, 'service/join', 100, signal);
      }
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  }

  async #remove({ keepData }: { readonly keepData: boolean }): Promise<void> {
    const { home, data, cache, command, units } = this.layout;
    const gone = [...Object.values(units), command, cache, ...(keepData ? [] : [data])];
    for (const path of gone) if (path !== undefined) await rm(this.at(path), { recursive: true, force: true });
    // Termux keeps the data in the home of the service.
    if (keepData && data.startsWith(`${home}/`)) {
      for (const name of [
        'versions',
        'current',
        'previous',
        'service.json',
        'trial.json',
        'upgrade.json',
        'agent.log',
        'agent.log.1',
      ])
        await rm(join(this.at(home), name), { recursive: true, force: true });
    } else await rm(this.at(home), { recursive: true, force: true });
    if (this.isImage) return;
    await this.#manager.forget();
    if (this.#place.kind === 'systemd' && !keepData) await call('userdel', [serviceName]).catch(() => {});
  }
}

/** What starts services on this machine. @throws `input.unsupported` when it is none that is known */
export function kindHere(): ServiceKind {
  if (process.platform === 'darwin') return 'launchd';
  if (process.platform === 'android' || process.env['PREFIX']?.includes('com.termux')) return 'termux';
  if (existsSync('/run/systemd/system')) return 'systemd';
  throw new ShoalError(
    'input.unsupported',
    'nothing here is known that would start a service (systemd, launchd, Termux:Boot): start it yourself with shoal-agent run',
  );
}

/** The service that is installed on this machine, or under a root; the one whose version runs this, before all. */
export async function findService(
  root: string | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<InstalledService | undefined> {
  const own = await ownHome();
  if (own && root === undefined) {
    const { kind, root: ownRoot } = JSON.parse(await readFile(join(own, 'service.json'), 'utf8'));
    return new InstalledService({ kind, root: ownRoot ?? undefined }, clock, signal);
  }
  const services = serviceKinds.map((kind) => new InstalledService({ kind, root }, clock, signal));
  return services.find(({ installed }) => installed);
}

/** The home of the service that the running version lies in: `<home>/versions/<version>/node_modules/@shoal/agent/bundle`. */
async function ownHome(): Promise<string | undefined> {
  const home = resolve(import.meta.dirname, '../../../../../..');
  const inside = /\/versions\/[^/]+\/node_modules\/@shoal\/agent\/bundle$/.test(import.meta.dirname);
  return inside && (await stat(join(home, 'service.json')).catch(() => undefined)) ? home : undefined;
}

function person(): string {
  return process.env['SUDO_USER'] ?? userInfo().username;
}

function termuxShell(): string {
  return join(process.env['PREFIX']?.includes('com.termux') ? process.env['PREFIX'] : '/', 'bin/sh');
}

async function call(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args).catch((cause: Error & { stderr?: string }) => {
    throw new ShoalError('io.failed', `${command} failed: ${cause.stderr?.trim() || cause.message}`, {}, { cause });
  });
  return stdout.trim();
}

function lastWords(said: string): string {
  return (
    said
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^shoal-agent: /, '') || 'it ended without a word'
  );
}
