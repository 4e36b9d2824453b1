import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Child } from '../../support/child.ts';
import { absoluteFigure, type Bench, timed } from '../harness.ts';

const root = join(import.meta.dirname, '../../..');
const run = promisify(execFile);

export const firstRun: Bench = {
  name: 'first-run',
  title:
    'from a fresh clone, an empty home and an empty npm cache to the first detection of `npm start`, and once more',
  async run(report) {
    const directory = await mkdtemp(join(tmpdir(), 'shoal-first-run-'));
    const clone = join(directory, 'shoal');
    await run('git', ['clone', '--quiet', root, clone]);
    const env = cleanEnvironment(join(directory, 'home'));
    const firstMs = await timed(() => untilDetection(clone, env));
    report.line(`first start: ${(firstMs / 1000).toFixed(1)} s`);
    const secondMs = await timed(() => untilDetection(clone, env));
    const { stdout } = await run('du', ['-sm', join(clone, 'node_modules')]);
    await rm(directory, { recursive: true, force: true });
    return [
      absoluteFigure('first start to first detection', 's', firstMs / 1000, { atMost: 240 }),
      absoluteFigure('second start to first detection', 's', secondMs / 1000, { atMost: 10 }),
      absoluteFigure('node_modules', 'MB', Number.parseInt(stdout, 10), { atMost: 900 }),
    ];
  },
};

async function untilDetection(clone: string, env: NodeJS.ProcessEnv): Promise<void> {
  const start = new Child('npm', ['start', '--', '--http-port', '0', '--mqtt-port', '0'], { cwd: clone, env });
  await start.line(/\bperson\b/, 600_000);
  // npm hands the signal on to the script it runs.
  await start.stop(30_000);
}

/** What a newcomer's shell has: nothing of npm's from the run that started this benchmark. */
function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$|^XDG_|^SHOAL_/i.test(name));
  const path = (process.env['PATH'] ?? '').split(':').filter((part) => !part.includes('node_modules'));
  return { ...Object.fromEntries(own), PATH: path.join(':'), HOME: home, npm_config_cache: join(home, '.npm') };
}
