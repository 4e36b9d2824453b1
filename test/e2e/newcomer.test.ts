import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../support/child.ts';
import { coordinatorBin } from '../support/fleet.ts';
import { hasPhotos, photoFiles } from '../support/photos.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const photos = await hasPhotos();

/** What the README's first screen promises, on real processes. */
describe('npm start', () => {
  let start: Child;
  let directory: string;
  let url: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shoal-newcomer-'));
    start = new Child(process.execPath, [join(root, 'scripts/start.ts'), '--http-port', '0', '--mqtt-port', '0'], {
      cwd: root,
    });
    [url = ''] = await start.line(/http:\/\/127\.0\.0\.1:\d+/, 240_000);
  }, 300_000);
  afterAll(async () => {
    await start?.stop(30_000);
    await rm(directory, { recursive: true, force: true });
  });

  it('says what the device measured about itself, and shows detections of the sample camera', async () => {
    await start.line(/efficientdet-lite0 int8: \d+ ms a picture/);
    await start.line(/people\.webm .*\bperson\b/);
  });

  it.skipIf(!photos)('lets shoal analyze name what is in real pictures', async () => {
    const { stdout } = await shoal('analyze', ...(await photoFiles()), '--url', url, '--out', directory);
    for (const name of ['dog', 'person', 'horse']) expect(stdout).toMatch(new RegExp(`\\b${name}\\b`));
    expect(stdout).toContain('because');
  });

  it.skipIf(!photos)('lets shoal verify accept a proof, and refuse it with one bit flipped', async () => {
    const [name] = (await readdir(directory)).filter((file) => file.endsWith('.proof.json'));
    const proof = join(directory, name ?? '');
    expect((await shoal('verify', proof)).stdout).toContain('VALID');
    const bytes = await readFile(proof);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await writeFile(proof, bytes);
    await expect(shoal('verify', proof)).rejects.toMatchObject({ code: 1 });
  });

  it('lets go of everything and exits 0 when it is interrupted', async () => {
    start.process.kill('SIGINT');
    // npm sends on what the terminal has told every process already.
    await start.line(/Stopping/);
    start.process.kill('SIGINT');
    expect(await start.ended()).toBe(0);
  });
});

describe('npm start with two agents', () => {
  let start: Child;

  beforeAll(() => {
    const script = join(root, 'scripts/start.ts');
    const args = ['--agents', '2', '--http-port', '0', '--mqtt-port', '0'];
    start = new Child(process.execPath, [script, ...args], { cwd: root });
  });
  afterAll(() => start?.stop(30_000));

  it('goes on with the other one when one is killed, and ends when both are', async () => {
    const [, name = ''] = await start.line(/people\.webm .*\bperson\b.* on (\S+)/, 240_000);
    const watching = name.endsWith('-2') ? 2 : 1;
    const other = 3 - watching;
    process.kill(await agentPid(start.pid, watching), 'SIGKILL');
    await start.line(
      new RegExp(`agent ${watching} has ended \\(killed by SIGKILL\\): its cameras move .*last line: .`),
    );
    await start.line(new RegExp(`people\\.webm .* on \\S+-${other}$`));
    process.kill(await agentPid(start.pid, other), 'SIGKILL');
    await start.line(new RegExp(`The agent ${other} ended \\(killed by SIGKILL\\)`));
    expect(await start.ended()).toBe(1);
  }, 300_000);
});

/** Of the agent with this number among the processes that the start has started. */
async function agentPid(startPid: number, number: number): Promise<number> {
  const children = await readFile(`/proc/${startPid}/task/${startPid}/children`, 'utf8');
  for (const pid of children.trim().split(' ')) {
    if ((await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(`agent-${number}\0`)) return Number(pid);
  }
  throw new Error(`no agent ${number} among the processes ${children}`);
}

function shoal(...args: string[]): Promise<{ stdout: string }> {
  return run(process.execPath, [coordinatorBin, ...args], { cwd: root });
}
