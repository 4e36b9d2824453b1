import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Fleet } from '../support/fleet.ts';
import { installPacked, pack } from '../support/packed.ts';

const run = promisify(execFile);
const patience = { timeout: 30_000, interval: 100 };

interface Status {
  readonly device: string;
  readonly outbox: { readonly results: number };
  readonly service: {
    readonly running: boolean;
    readonly version: string;
    readonly joinedAt: string | null;
    readonly lastUpgrade: { readonly kept: boolean; readonly to: string } | null;
  };
}

/**
 * The life of an installed agent, with real processes and without a service manager: what Termux:Boot would run keeps it running, and a folder stands
 * for a person's home. The steps follow one another.
 */
describe('an agent that is a service', () => {
  let folder: string;
  let home: string;
  let fleet: Fleet;
  let device: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-service-'));
    home = join(folder, 'phone');
    const place = join(folder, '0.1.0');
    await installPacked(await pack('agent', folder, 'none'), place);
    for (const version of ['0.2.0', '0.3.0', '0.4.0']) await asVersion(version);
    // One that cannot run, and one that runs and never joins.
    await writeFile(join(packageOf('0.3.0'), 'bundle/main.js'), `throw new Error('broken');\n`);
    await writeFile(join(packageOf('0.4.0'), 'bundle/main.js'), 'setInterval(() => {}, 1000);\n');
    fleet = await Fleet.start({ agents: 0 });
  }, 240_000);
  afterAll(async () => {
    await powerCut().catch(() => {});
    await fleet?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  function packageOf(version: string): string {
    return join(folder, version, 'app/node_modules/@shoal/agent');
  }

  async function asVersion(version: string): Promise<void> {
    await cp(join(folder, '0.1.0'), join(folder, version), { recursive: true });
    const path = join(packageOf(version), 'package.json');
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), version }));
  }

  function agentProcess(version: string, ...args: string[]) {
    const script = join(packageOf(version), 'bin/shoal-agent.js');
    const env = { ...process.env, SHOAL_TRIAL_MS: '8000' };
    return run(process.execPath, [script, ...args, '--root', home], { cwd: folder, env });
  }

  async function shoalAgent(version: string, ...args: string[]): Promise<string> {
    return (await agentProcess(version, ...args)).stdout;
  }

  /** By the command that the service has, as a person would. */
  async function status(): Promise<Status> {
    const { stdout } = await run(join(home, '.local/bin/shoal-agent'), ['status', '--json'], { cwd: folder });
    return JSON.parse(stdout) as Status;
  }

  const service = join('.local/share/shoal-agent');

  /** Everything ends at once: the script, the agent, and what settles an upgrade. */
  async function powerCut(): Promise<void> {
    process.kill(-Number(await readFile(join(home, service, 'agent.pid'), 'utf8')), 'SIGKILL');
  }

  async function untilOnline(): Promise<void> {
    await vi.waitFor(
      async () => expect(await status()).toMatchObject({ service: { running: true, joinedAt: expect.any(String) } }),
      patience,
    );
  }

  it('says what is wrong with a token when it is installed, and leaves nothing', async () => {
    const spent = await fleet.createToken();
    const word = `${spent.slice(0, -1)}${spent.endsWith('A') ? 'B' : 'A'}`;
    await expect(shoalAgent('0.1.0', 'install', word, '--kind', 'termux')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/shoal-agent: it did not join: .*token/),
    });
    expect(await filesBelow(home)).toEqual([]);
  }, 60_000);

  it('joins when it is installed, and runs', async () => {
    const said = await shoalAgent('0.1.0', 'install', await fleet.createToken(), '--kind', 'termux');
    expect(said).toContain('shoal-agent 0.1.0 is installed (termux)');
    await untilOnline();
    const found = await status();
    device = found.device;
    expect(found.service).toMatchObject({ version: '0.1.0', lastUpgrade: null });
    await fleet.untilOnline(1);
  }, 60_000);

  it('is started again when it is killed', async () => {
    const before = await agentPid();
    process.kill(before, 'SIGKILL');
    await vi.waitFor(async () => expect(await agentPid()).not.toBe(before), patience);
    await untilOnline();
  }, 60_000);

  it('keeps a new version that joins, with the key and the state of the one before', async () => {
    const key = await readFile(join(home, service, 'data/device.key'));
    expect(await shoalAgent('0.2.0', 'upgrade')).toContain('0.2.0 runs and has joined');
    await untilOnline();
    expect(await readFile(join(home, service, 'data/device.key'))).toEqual(key);
    expect(await status()).toMatchObject({
      device,
      service: { version: '0.2.0', lastUpgrade: { kept: true, to: '0.2.0' } },
    });
    const { items } = await fleet.json<{ items: { id: string }[] }>('GET', '/v1/devices');
    expect(items.map(({ id }) => id)).toEqual([device]);
  }, 60_000);

  it.each([
    ['0.3.0', 'cannot run', 'it did not start'],
    ['0.4.0', 'never joins', 'it did not start'],
  ])(
    'goes back from %s, which %s',
    async (version, _, why) => {
      await expect(shoalAgent('0.2.0', 'upgrade', packageOf(version))).rejects.toMatchObject({
        code: 1,
        stdout: `0.2.0 runs again: ${version} did not join within a minute (${why}).\n`,
      });
      await untilOnline();
      expect(await status()).toMatchObject({ device, service: { version: '0.2.0', lastUpgrade: { kept: false } } });
      expect(await readdir(join(home, service, 'versions'))).not.toContain(version);
    },
    90_000,
  );

  it('goes back by itself when the power is cut while a version is on trial', async () => {
    const script = await readFile(join(home, service, 'agent.pid'), 'utf8');
    const upgrade = agentProcess('0.2.0', 'upgrade', packageOf('0.4.0'));
    upgrade.catch(() => {});
    // The new version has been started.
    await vi.waitFor(
      async () => expect(await readFile(join(home, service, 'agent.pid'), 'utf8')).not.toBe(script),
      patience,
    );
    upgrade.child.kill('SIGKILL');
    await powerCut();
    // The machine starts again.
    const boot = run(join(home, '.termux/boot/shoal-agent'), { env: { ...process.env, SHOAL_TRIAL_MS: '3000' } });
    boot.catch(() => {});
    const current = () => readlink(join(home, service, 'current'));
    await vi.waitFor(async () => expect(await current()).toBe('versions/0.2.0'), patience);
    await untilOnline();
    expect(await status()).toMatchObject({ device, service: { version: '0.2.0', lastUpgrade: { kept: false } } });
  }, 90_000);

  it('leaves no trace when it is uninstalled', async () => {
    // It may just be starting again.
    const before = await vi.waitFor(agentPid, patience);
    expect(await shoalAgent('0.2.0', 'uninstall')).toContain('The service is removed');
    expect(() => process.kill(before, 0)).toThrow('ESRCH');
    expect(await filesBelow(home)).toEqual([]);
  }, 60_000);

  async function agentPid(): Promise<number> {
    const script = (await readFile(join(home, service, 'agent.pid'), 'utf8')).trim();
    const children = (await readFile(`/proc/${script}/task/${script}/children`, 'utf8')).trim().split(' ');
    for (const pid of children) {
      if ((await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes('shoal-agent.js')) return Number(pid);
    }
    throw new Error('no agent runs');
  }
});

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}
