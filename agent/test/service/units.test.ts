import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  launchdJob,
  launchdTrialJob,
  layoutOf,
  systemdTrialUnit,
  systemdUnit,
  sysusers,
  termuxBootScript,
} from '../../src/service/index.ts';

const run = promisify(execFile);
const systemd = layoutOf('systemd', '/');
const launchd = layoutOf('launchd', '/');
const termux = layoutOf('termux', '/data/data/com.termux/files/home');

async function has(program: string): Promise<boolean> {
  return run(program, ['--version']).then(
    () => true,
    () => false,
  );
}

async function version(): Promise<number> {
  const { stdout } = await run('systemd-analyze', ['--version']);
  return Number(/systemd (\d+)/.exec(stdout)?.[1]);
}

const analyze = await has('systemd-analyze');
const makesUsers = await has('systemd-sysusers');

/** The files as they were looked at and found right; what changes in them is to be looked at again. */
describe('the files of a service', () => {
  it.each([
    ['shoal-agent.service', systemdUnit(systemd)],
    ['shoal-agent-trial.service', systemdTrialUnit(systemd)],
    ['shoal-agent.sysusers', sysusers(systemd)],
    ['org.shoal.agent.plist', launchdJob(launchd, 'somebody')],
    ['org.shoal.agent-trial.plist', launchdTrialJob(launchd)],
    ['termux-boot.sh', termuxBootScript(termux, '/data/data/com.termux/files/usr/bin/sh')],
  ])('%s is as its fixture', async (name, text) => {
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, 'fixtures', name));
  });

  it.each(['sh', 'dash'])('are read by %s, where they are its', async (shell) => {
    const child = run(shell, ['-n']);
    child.child.stdin?.end(termuxBootScript(termux, '/bin/sh'));
    await child;
  });

  it.skipIf(!analyze)('are accepted by systemd-analyze, which finds little exposed', async () => {
    const root = await mkdtemp(join(tmpdir(), 'shoal-units-'));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    const program = join(root, systemd.home, 'current/shoal-agent');
    await mkdir(dirname(program), { recursive: true });
    await writeFile(program, '#!/bin/sh\n');
    await chmod(program, 0o755);
    const unit = join(root, 'shoal-agent.service');
    const text = systemdUnit(systemd).replaceAll(systemd.home, join(root, systemd.home));
    // An older systemd passes over what it does not know, and calls it an error here.
    await writeFile(unit, (await version()) < 254 ? text.replaceAll(/^Restart(Steps|MaxDelaySec)=.*\n/gm, '') : text);
    const { stderr } = await run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', unit]);
    expect(stderr.split('\n').filter((line) => line.includes('shoal-agent.service'))).toEqual([]);
    const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', unit]);
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    expect(exposure).toBeLessThan(2.5);
  });

  it.skipIf(!makesUsers)('make their user with systemd-sysusers', async () => {
    const root = await mkdtemp(join(tmpdir(), 'shoal-users-'));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    const path = join(root, 'etc/sysusers.d/shoal-agent.conf');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, sysusers(systemd));
    await run('systemd-sysusers', [`--root=${root}`]);
    expect(await readFile(join(root, 'etc/passwd'), 'utf8')).toMatch(
      /^shoal-agent:x:\d+:\d+:Shoal agent:\/var\/lib\/shoal-agent:/m,
    );
    expect(await readFile(join(root, 'etc/group'), 'utf8')).toMatch(/^video:.*:shoal-agent$/m);
  });
});
