import { table } from '@shoal/coordinator';
import { ShoalError } from '@shoal/protocol';
import type { Command } from 'commander';
import { readGoalFleets } from '../fleet/index.ts';
import { type Finding, type Goal, goals, isMet } from '../goals/index.ts';
import { caveat, readWhole } from './options.ts';
import type { Terminal } from './terminal.ts';

interface Options {
  readonly seeds: number;
  readonly json?: boolean;
}

/** `bench [GOAL...]`: what placement has to reach on the fleets that come with Shoal, and what it reaches. */
export function benchCommand(program: Command, terminal: Terminal): void {
  program
    .command('bench')
    .argument('[goals...]', `${goals.map(({ name }) => name).join(', ')}; all of them unless told`)
    .description('what placement has to reach on the fleets that come with Shoal, and what it reaches; takes minutes')
    .option(
      '--seeds <number>',
      'runs of each scenario: figures are medians over them',
      readWhole('--seeds', 1, 100),
      10,
    )
    .option('--json', 'the findings as JSON')
    .action(async (names: readonly string[], { seeds, json }: Options) => {
      const asked = names.length === 0 ? goals : names.map(goalNamed);
      const fleets = await readGoalFleets((path) => terminal.readFile(path));
      const say = (text: string) => terminal.errors.write(`${text}\n`);
      const findings = asked.flatMap((goal) => {
        say(goal.title);
        return goal.find({ fleets, seeds, say, cpuMs: terminal.cpuMs });
      });
      terminal.output.write(json ? `${JSON.stringify(findings)}\n` : `${tableOf(findings, terminal)}${caveat}\n`);
      if (!findings.every(isMet)) terminal.fail();
    });
}

function goalNamed(name: string): Goal {
  const found = goals.find((goal) => goal.name === name);
  if (found) return found;
  const known = goals.map((goal) => goal.name).join(', ');
  throw new ShoalError('input.invalid', `there is no goal ${JSON.stringify(name)}; known are ${known}`);
}

function tableOf(findings: readonly Finding[], { paint }: Terminal): string {
  return table(
    findings,
    [
      { title: '', value: (finding) => (isMet(finding) ? paint('green', 'met') : paint('red', 'MISSED')) },
      { title: 'WHAT', value: ({ name }) => name },
      { title: 'REACHED', value: ({ value, unit }) => `${Number(value.toPrecision(4))} ${unit}`, align: 'right' },
      {
        title: 'ASKED',
        value: ({ limit, unit }) =>
          'atMost' in limit ? `at most ${limit.atMost} ${unit}` : `at least ${limit.atLeast} ${unit}`,
      },
    ],
    paint,
  );
}
