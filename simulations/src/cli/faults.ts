import type { Command } from 'commander';
import { randomRun } from '../run/index.ts';
import { readWhole } from './options.ts';
import type { Terminal } from './terminal.ts';

/** `faults [FIRST] [COUNT]`: random lives of a small fleet of whole agents, each broken promise with how to replay it. */
export function faultsCommand(program: Command, { output, fail }: Terminal): void {
  program
    .command('faults')
    .argument('[first]', 'the first seed', readWhole('first', 0, 2 ** 31), 1)
    .argument('[count]', 'how many seeds', readWhole('count', 1, 10_000_000), 10)
    .description('random lives of a fleet of whole agents under crashes, cuts, full disks: is every promise kept?')
    .option('--trace', 'everything that happens')
    .action(async (first: number, count: number, { trace: withTrace }: { readonly trace?: boolean }) => {
      let failed = 0;
      for (let seed = first; seed < first + count; seed++) {
        const { tasks, succeeded, reports, faults, virtualMs, broken, traceDigest, trace } = await randomRun(seed);
        const seconds = (virtualMs / 1_000).toFixed(0);
        output.write(
          `seed ${seed}: ${succeeded} of ${tasks} tasks succeeded, ${reports} results over ${faults} faults in ${seconds} s of virtual time, trace ${traceDigest.slice(0, 12)}\n`,
        );
        for (const promise of broken) output.write(`  BROKEN: ${promise}\n`);
        if (broken.length > 0) failed += 1;
        if (withTrace) for (const line of trace) output.write(`${line}\n`);
      }
      output.write(
        failed === 0
          ? `${count} seeds, no promise broken\n`
          : `${failed} of ${count} seeds broke a promise; replay one with: npx shoal-sim faults SEED 1 --trace\n`,
      );
      if (failed > 0) fail();
    });
}
