import { type CostWeights, durationText, progressOn, readCostWeights, table } from '@shoal/coordinator';
import type { Command } from 'commander';
import { type Outcome, simulate } from '../coarse/index.ts';
import { htmlReport, rowsOf } from '../report/index.ts';
import { caveat, fleetArgument, readFleet, readNumber, readStrategies, readWhole } from './options.ts';
import type { Terminal } from './terminal.ts';

interface Options {
  readonly strategy: string;
  readonly seed: number;
  readonly hours: number;
  readonly start: number;
  readonly weights?: CostWeights;
  readonly out?: string;
  readonly json?: boolean;
}

/** `run FLEET`: one run of each strategy that is asked for, a table, and a page with curves. */
export function runCommand(program: Command, terminal: Terminal): void {
  program
    .command('run')
    .argument('<fleet>', fleetArgument)
    .description('run a fleet for some hours and say what came of it')
    .option('--strategy <names>', 'strategies, with commas between, or `all`', 'cost')
    .option('--seed <number>', 'all that is chance', readWhole('--seed', 0, 2 ** 31), 1)
    .option('--hours <number>', 'how long, in virtual time', readNumber('--hours', 0.001, 10_000), 1)
    .option('--start <hour>', 'hour of the day at which it begins', readNumber('--start', 0, 24), 18)
    .option('--weights <list>', 'what counts how much under `cost`, like perMiss=0.5,perJoule=2', readCostWeights)
    .option('--out <file>', 'write a page with curves')
    .option('--json', 'the outcome as JSON')
    .action(async (name: string, options: Options) => {
      const fleet = await readFleet(name, terminal);
      const outcomes = readStrategies(options.strategy).map((strategy) => runOne(fleet, strategy, options, terminal));
      if (options.out !== undefined) await terminal.writeFile(options.out, htmlReport(fleet, outcomes, caveat));
      terminal.output.write(options.json ? `${JSON.stringify(outcomes)}\n` : tableOf(outcomes, terminal));
      if (options.out !== undefined && !options.json) terminal.output.write(`Curves: ${options.out}\n`);
    });
}

function runOne(
  fleet: Parameters<typeof simulate>[0]['fleet'],
  strategy: string,
  { seed, hours, start, weights }: Options,
  { errors, nowMs }: Terminal,
): Outcome {
  const progress = progressOn(errors, `${fleet.name} under ${strategy}`, nowMs);
  const startedMs = nowMs();
  const outcome = simulate(
    { fleet, strategy, seed, hours, startHour: start, ...(weights && { weights }) },
    (fraction, { tally, nowMs: virtualMs }) => {
      const factor = virtualMs / Math.max(1, nowMs() - startedMs);
      const missed = (100 * tally.missed).toFixed(2);
      progress.update(
        fraction,
        `${durationText(virtualMs)}, ${tally.finished.toLocaleString('en')} done, ${missed} % missed, ${factor.toFixed(0)} x real time`,
      );
    },
  );
  progress.end();
  return outcome;
}

export function tableOf(outcomes: readonly Outcome[], { paint }: Terminal): string {
  const rows = outcomes.map(rowsOf);
  const titles = Object.keys(rows[0] ?? {});
  return table(
    rows,
    titles.map((title, index) => ({
      title: title.toUpperCase(),
      value: (row: Record<string, string>) => row[title] ?? '',
      align: index === 0 ? 'left' : 'right',
    })),
    paint,
  );
}
