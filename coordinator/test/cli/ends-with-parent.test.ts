import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test, vi } from 'vitest';

const preload = join(import.meta.dirname, '..', '..', '..', 'scripts', 'start', 'ends-with-parent.ts');

/** A parent that makes one child as `npm start` does, and says its process id. */
const parent = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['--import', ${JSON.stringify(preload)}, '-e', process.argv[1]], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true,
  });
  console.log(child.pid);
  setInterval(() => {}, 1000);
`;

async function aFamily(childCode: string) {
  const father = spawn(process.execPath, ['-e', parent, childCode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: father.stdout }), 'line')) as [string];
  return { father, child: Number(line) };
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a child of npm start ends when its parent was killed with -9', async () => {
  const { father, child } = await aFamily('setInterval(() => {}, 1000)');
  expect(lives(child)).toBe(true);
  father.kill('SIGKILL');
  await vi.waitFor(() => expect(lives(child)).toBe(false), { timeout: 10_000 });
});

test('a child that has nothing left to do is not kept alive by the channel to its parent', async () => {
  const { father, child } = await aFamily('0');
  // The parent never collects it, so it may stay as a zombie: what counts is that it ran to its end.
  const { readFile } = await import('node:fs/promises');
  const ended = async () =>
    !lives(child) || / Z /.test(await readFile(`/proc/${child}/stat`, 'utf8').catch(() => ' Z '));
  await vi.waitFor(async () => expect(await ended()).toBe(true), { timeout: 10_000 });
  father.kill('SIGKILL');
});
