import { Command } from 'commander';
import { shippedFleets } from '../fleet/index.ts';
import { benchCommand } from './bench.ts';
import { compareCommand } from './compare.ts';
import { faultsCommand } from './faults.ts';
import { listCommand } from './list.ts';
import { replayCommand } from './replay.ts';
import { runCommand } from './run.ts';
import { sizeCommand } from './size.ts';
import type { Terminal } from './terminal.ts';

const help = `
A FLEET is a file (docs/simulator.md) or the name of one that comes with Shoal: ${shippedFleets.join(', ')}.
What devices take and draw was derived from published measurements, and in part assumed: good for comparing, not for bills.

Exit codes: 0 done; 1 a promise was broken, or what was asked for cannot be reached; 2 what was asked for is wrong.

Examples:
  shoal-sim run shop --hours 2 --out shop.html
  shoal-sim compare city --strategies cost,ecore,least-loaded --seeds 10
  shoal-sim size home --add pi-5 --missed 0.5
  shoal-sim faults 1 100
  shoal-sim faults 7 1 --save && shoal-sim replay simulations/regressions/seed-7.json
`;

/** The `shoal-sim` command. */
export function createProgram(version: string, terminal: Terminal): Command {
  const program = new Command('shoal-sim')
    .description('A fleet before you buy it: the real scheduler, simulated devices.')
    .version(version)
    .addHelpText('after', help)
    .showSuggestionAfterError()
    .exitOverride();
  for (const add of [runCommand, compareCommand, sizeCommand, benchCommand, listCommand, faultsCommand, replayCommand])
    add(program, terminal);
  return program;
}
