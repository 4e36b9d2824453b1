import { type CostWeights, progressOn, readCostWeights, table } from '@shoal/coordinator';
import type { Command } from 'commander';
import { type Outcome, simulate } from '../coarse/index.ts';
import { interval } from '../report/index.ts';
import { fleetArgument, readFleet, readNumber, readStrategies, readWhole } from './options.ts';
import type { Terminal } from './terminal.ts';

interface Options {
  readonly strategies: string;
  readonly seeds: number;
  readonly hours: number;
  readonly start: number;
  readonly weights?: CostWeights;
  readonly json?: boolean;
}

interface Figure {
  readonly title: string;
  readonly digits: number;
  of(outcome: Outcome): number;
}

const figures: readonly Figure[] = [
  { title: 'MISSED %', digits: 2, of: ({ missed }) => 100 * missed },
  { title: 'MEAN MS', digits: 1, of: ({ latencyMs }) => latencyMs.mean },
  { title: 'P95 MS', digits: 1, of: ({ latencyMs }) => latencyMs.p95 },
  { title: 'J EACH', digits: 4, of: ({ joulesPerTask }) => joulesPerTask },
  { title: 'MAP', digits: 4, of: ({ accuracy }) => accuracy },
  { title: 'FLOOR H', digits: 2, of: ({ firstAtFloorMs, virtualMs }) => (firstAtFloorMs ?? virtualMs) / 3_600_000 },
  { title: 'PUSHED', digits: 0, of: ({ pushedUnderFloor }) => pushedUnderFloor },
];

/** Of fleets with cameras. */
const cameraFigures: readonly Figure[] = [
  { title: 'WATCHED %', digits: 2, of: ({ cameras }) => 100 * (cameras?.watched ?? 1) },
  { title: 'FRAMES %', digits: 1, of: ({ cameras }) => 100 * (cameras?.analysed ?? 1) },
  { title: 'MOVES', digits: 0, of: ({ cameras }) => cameras?.moves ?? 0 },
];

/** `compare FLEET`: strategies side by side over many seeds, each figure as a median with its confidence interval. */
export function compareCommand(program: Command, terminal: Terminal): void {
  program
    .command('compare')
    .argument('<fleet>', fleetArgument)
    .description('strategies side by side over many seeds: medians and 95 % confidence intervals')
    .option('--strategies <names>', 'with commas between, or `all`', 'all')
    .option('--seeds <number>', 'how many', readWhole('--seeds', 1, 1_000), 10)
    .option('--hours <number>', 'how long each, in virtual time', readNumber('--hours', 0.001, 10_000), 0.5)
    .option('--start <hour>', 'hour of the day at which each begins', readNumber('--start', 0, 24), 18)
    .option('--weights <list>', 'what counts how much under `cost`, like perMiss=0.5,perJoule=2', readCostWeights)
    .option('--json', 'the medians and intervals as JSON')
    .action(async (name: string, { strategies, seeds, hours, start, weights, json }: Options) => {
      const fleet = await readFleet(name, terminal);
      const names = readStrategies(strategies);
      const shown = fleet.cameras.length > 0 ? [...figures, ...cameraFigures] : figures;
      const progress = progressOn(terminal.errors, `${fleet.name}`, terminal.nowMs);
      const rows = names.map((strategy, done) => {
        const outcomes = Array.from({ length: seeds }, (_, index) => {
          progress.update(
            (done * seeds + index) / (names.length * seeds),
            `${strategy}, seed ${index + 1} of ${seeds}`,
          );
          return simulate({ fleet, strategy, seed: index + 1, hours, startHour: start, ...(weights && { weights }) });
        });
        return { strategy, figures: shown.map(({ title, of }) => ({ title, ...interval(outcomes.map(of)) })) };
      });
      progress.end();
      terminal.output.write(json ? `${JSON.stringify(rows)}\n` : tableOf(rows, shown, terminal));
    });
}

type Row = { strategy: string; figures: { title: string; median: number; low: number; high: number }[] };

function tableOf(rows: readonly Row[], shown: readonly Figure[], { paint }: Terminal): string {
  return table(
    rows,
    [
      { title: 'STRATEGY', value: ({ strategy }: Row) => strategy },
      ...shown.map(({ title, digits }, index) => ({
        title,
        align: 'right' as const,
        value: ({ figures: all }: Row) => {
          const { median, low, high } = all[index] ?? { median: 0, low: 0, high: 0 };
          if (low === high) return median.toFixed(digits);
          return `${median.toFixed(digits)} ${paint('dim', `(${low.toFixed(digits)}..${high.toFixed(digits)})`)}`;
        },
      })),
    ],
    paint,
  );
}
