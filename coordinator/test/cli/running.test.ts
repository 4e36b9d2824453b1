import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runningIn } from '../../src/cli/client/index.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-running-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const written = (running: object) => writeFile(join(directory, 'coordinator.json'), JSON.stringify(running));

describe('the file of a running coordinator', () => {
  it('is believed while its process runs', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    await written({ pid: child.pid, startedAt: new Date().toISOString() });
    expect(await runningIn(directory)).toMatchObject({ pid: child.pid });
    child.kill();
    await once(child, 'exit');
    expect(await runningIn(directory)).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')(
    'is not believed when its number was given to a younger process, ours in a container that was started again',
    async () => {
      await written({ pid: process.pid, startedAt: '2020-01-01T00:00:00.000Z' });
      expect(await runningIn(directory)).toBeUndefined();
    },
  );

  it('is taken away when it is not whole', async () => {
    await writeFile(join(directory, 'coordinator.json'), '{"pid": 1');
    expect(await runningIn(directory)).toBeUndefined();
    expect(await readdir(directory)).toEqual([]);
  });
});
