import { spawn } from 'node:child_process';

/** The first of these programs that can be started; `undefined` when none is installed. */
export async function findProgram(...names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const found = await new Promise<boolean>((resolve) => {
      const probe = spawn(name, ['-h'], { stdio: 'ignore' });
      probe.on('error', () => resolve(false));
      probe.on('spawn', () => {
        probe.kill('SIGKILL');
        resolve(true);
      });
    });
    if (found) return name;
  }
  return undefined;
}
