import { ShoalError } from '@shoal/protocol';
import type { Command } from 'commander';
import { formatRegression, type RunReport, randomRun, replay, sharedFleetRun, shrink, sortOf } from '../run/index.ts';
import { readWhole } from './options.ts';
import type { Terminal } from './terminal.ts';

const defaultFolder = 'simulations/regressions';
/** Broken promises of one life that are shown. */
const mostTold = 10;

interface Options {
  readonly trace?: boolean;
  /** A folder, or `true` for the usual one. */
  readonly save?: string | true;
  readonly coordinators: number;
}

/** `faults [FIRST] [COUNT]`: random lives of a small fleet of whole agents, each broken promise with how to replay it. */
export function faultsCommand(program: Command, terminal: Terminal): void {
  const { output, fail } = terminal;
  program
    .command('faults')
    .argument('[first]', 'the first seed', readWhole('first', 0, 2 ** 31), 1)
    .argument('[count]', 'how many seeds', readWhole('count', 1, 10_000_000), 10)
    .description('random lives of a fleet of whole agents under crashes, cuts, full disks: is every promise kept?')
    .option('--trace', 'everything that happens')
    .option('--save [folder]', `a life that breaks a promise is shrunk and kept as a file (in ${defaultFolder})`)
    .option(
      '--coordinators <count>',
      'so many place on the fleet at once: 1 or 2 (without --save)',
      readWhole('--coordinators', 1, 2),
      1,
    )
    .action(async (first: number, count: number, options: Options) => {
      const live = options.coordinators > 1 ? liveShared : liveAlone;
      let failed = 0;
      for (let seed = first; seed < first + count; seed++) if (!(await live(seed, options, terminal))) failed += 1;
      output.write(
        failed === 0 ? `${count} seeds, no promise broken\n` : `${failed} of ${count} seeds broke a promise\n`,
      );
      if (failed > 0) fail();
    });
}

/** Whether every promise was kept. */
async function liveAlone(seed: number, { trace, save }: Options, terminal: Terminal): Promise<boolean> {
  const report = await randomRun(seed);
  tell(report, trace === true, terminal);
  if (report.broken.length === 0) return true;
  await tellHowToReplay(report, terminal);
  if (save !== undefined) await keep(report, save === true ? defaultFolder : save, terminal);
  return false;
}

/** The same of a fleet on which two coordinators place. Such a life is no list of operations: it cannot be shrunk. */
async function liveShared(seed: number, { trace: withTrace, save }: Options, terminal: Terminal): Promise<boolean> {
  if (save !== undefined)
    throw new ShoalError('input.invalid', '--save keeps lives of one coordinator; leave it out with --coordinators 2');
  const { output, commit } = terminal;
  const { tasks, succeeded, refused, faults, convergedMs, broken, traceDigest, trace } = await sharedFleetRun(seed);
  const done = `${succeeded.join(' and ')} of ${tasks.join(' and ')} tasks of two coordinators succeeded`;
  output.write(
    `seed ${seed}: ${done}, ${refused} attempts refused, over ${faults} faults; at rest ${(convergedMs / 1_000).toFixed(0)} s after the last, trace ${traceDigest.slice(0, 12)}\n`,
  );
  tellBroken(broken, withTrace ? trace : [], terminal);
  if (broken.length > 0)
    output.write(`  at commit ${await commit()}; replay: npx shoal-sim faults ${seed} 1 --coordinators 2 --trace\n`);
  return broken.length === 0;
}

/** What became of a life. */
export function tell(report: RunReport, withTrace: boolean, terminal: Terminal): void {
  const { seed, tasks, succeeded, reports, faults, virtualMs, broken, traceDigest, trace } = report;
  const seconds = (virtualMs / 1_000).toFixed(0);
  terminal.output.write(
    `seed ${seed}: ${succeeded} of ${tasks} tasks succeeded, ${reports} results over ${faults} faults in ${seconds} s of virtual time, trace ${traceDigest.slice(0, 12)}\n`,
  );
  tellBroken(broken, withTrace ? trace : [], terminal);
}

function tellBroken(broken: readonly string[], trace: readonly string[], { output }: Terminal): void {
  for (const promise of broken.slice(0, mostTold)) output.write(`  BROKEN: ${promise}\n`);
  if (broken.length > mostTold) output.write(`  BROKEN: and ${broken.length - mostTold} more\n`);
  for (const line of trace) output.write(`${line}\n`);
}

async function tellHowToReplay({ seed }: RunReport, { output, commit }: Terminal): Promise<void> {
  output.write(
    `  at commit ${await commit()}; replay: npx shoal-sim faults ${seed} 1 --trace; shrink and keep: npx shoal-sim faults ${seed} 1 --save\n`,
  );
}

async function keep(report: RunReport, folder: string, { output, errors, commit, writeFile }: Terminal): Promise<void> {
  const { broken, script } = report;
  const once = broken[0] ?? '';
  const sort = sortOf(once);
  const shrunk = await shrink(script, async (smaller) => {
    errors.write('.');
    return (await replay(smaller)).broken.some((promise) => sortOf(promise) === sort);
  });
  errors.write('\n');
  const path = `${folder}/seed-${script.seed}.json`;
  await writeFile(path, formatRegression({ once, commit: await commit(), script: shrunk }));
  output.write(
    `  ${shrunk.steps.length} of ${script.steps.length} operations are enough; kept in ${path}; replay: npx shoal-sim replay ${path}\n`,
  );
}
