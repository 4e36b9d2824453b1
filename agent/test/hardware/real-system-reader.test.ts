import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  describeCapability,
  probeCapability,
  readTelemetry,
  recordedSystemReader,
  recordingSystemReader,
} from '../../src/hardware/index.ts';
import { realSystemReader } from '../../src/hardware/real/index.ts';
import { never } from './machines.ts';

const reader = realSystemReader();
const posix = process.platform !== 'win32';
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-hardware-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('this machine', () => {
  it('is probed with figures that can be', async () => {
    const found = await probeCapability(reader, never, { dataFolder: folder });
    expect(found.cpu.arch).toBe(process.arch);
    expect(found.cpu.cores).toBeGreaterThanOrEqual(1);
    expect(found.cpu.usableCores).toBeGreaterThan(0);
    expect(found.cpu.usableCores).toBeLessThanOrEqual(found.cpu.cores);
    expect(found.memory.totalBytes).toBeGreaterThan(64 * 2 ** 20);
    expect(found.disk?.totalBytes).toBeGreaterThan(0);
    expect(found.os.platform).toBe(process.platform);
    expect(describeCapability(found).length).toBeGreaterThanOrEqual(6);
  });

  it('tells its load', async () => {
    const telemetry = await readTelemetry(reader, never);
    expect(telemetry.load.memoryAvailableBytes).toBeGreaterThan(0);
    expect(telemetry.unknown.filter((gap) => /error|fail/i.test(gap))).toEqual([]);
  });

  it('that was recorded is probed from its recording as from itself', async () => {
    const recording = recordingSystemReader(reader);
    const live = await probeCapability(recording, never, { dataFolder: folder });
    const system = JSON.parse(JSON.stringify(recording.recording('this machine')));
    expect(await probeCapability(recordedSystemReader(system), never, { dataFolder: folder })).toEqual(live);
  });
});

describe('a file', () => {
  it('that is longer than the limit is cut', async () => {
    const path = join(folder, 'long');
    await writeFile(path, 'x'.repeat(100_000));
    expect(await realSystemReader({ maxTextBytes: 5000 }).readText(path)).toHaveLength(5000);
    expect(await reader.readText(path)).toHaveLength(100_000);
  });

  it('that is missing, or a folder, has no text', async () => {
    expect(await reader.readText(join(folder, 'missing'))).toBeUndefined();
    expect(await reader.readText(folder)).toBeUndefined();
    expect(await reader.list(join(folder, 'missing'))).toEqual([]);
    expect(await reader.access(join(folder, 'missing'))).toBe('missing');
    expect(await reader.access(join(folder, 'long', 'below'))).toBe('missing');
    expect(await reader.diskSpace(join(folder, 'missing'))).toBeUndefined();
  });

  it.runIf(posix)('that nobody writes into, a pipe, does not hold the probe', async () => {
    const path = join(folder, 'pipe');
    await promisify(execFile)('mkfifo', [path]);
    expect(await realSystemReader({ fileTimeoutMs: 200 }).readText(path)).toSatisfy(
      (text: string | undefined) => text === undefined || text === '',
    );
  });

  it('in a folder with more names than the limit is not listed', async () => {
    await writeFile(join(folder, 'another'), '');
    expect(await realSystemReader({ maxNames: 1 }).list(folder)).toHaveLength(1);
  });
});

describe.runIf(posix)('a program', () => {
  it('gives what it prints and how it ended', async () => {
    expect(await reader.run('sh', ['-c', 'echo out; echo err >&2; exit 3'], { timeoutMs: 5000 })).toEqual({
      stdout: 'out\n',
      code: 3,
    });
  });

  it('that is not there is not an error', async () => {
    expect(await reader.run('shoal-no-such-program', [], { timeoutMs: 5000 })).toBeUndefined();
  });

  it('that takes too long is killed with all it started', async () => {
    const script = join(folder, 'slow.sh');
    await writeFile(script, `#!/bin/sh\nsleep 300 &\necho $! > ${join(folder, 'pid')}\nwait\n`);
    await chmod(script, 0o755);
    const running = reader.run(script, [], { timeoutMs: 1000 });
    expect(await running).toBeUndefined();
    const pid = Number(await reader.readText(join(folder, 'pid')));
    expect(pid).toBeGreaterThan(1);
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    const running = reader.run('sleep', ['300'], { timeoutMs: 60_000, signal: controller.signal });
    controller.abort();
    expect(await running).toBeUndefined();
    expect(await reader.run('sleep', ['300'], { timeoutMs: 60_000, signal: AbortSignal.abort() })).toBeUndefined();
  });

  it('that prints without end is stopped at the limit', async () => {
    expect(await realSystemReader({ maxTextBytes: 10_000 }).run('yes', [], { timeoutMs: 30_000 })).toBeUndefined();
  });
});

/** A killed child stays a zombie until its new parent collects it; it no longer runs. */
async function isRunning(pid: number): Promise<boolean> {
  const state = /^State:\s+(\w)/m.exec((await reader.readText(`/proc/${pid}/status`)) ?? '')?.[1];
  return state !== undefined && state !== 'Z';
}
