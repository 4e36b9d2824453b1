import type { Command } from 'commander';
import { measureProfile } from '../../evaluate/index.ts';
import { type CommandContext, withModel } from '../context.ts';
import { wholeNumber } from '../whole-number.ts';

export function addProfile(program: Command, context: () => CommandContext): void {
  program
    .command('profile')
    .description('measure how fast a model runs on this machine')
    .argument('<name>', 'a model, as `list` names it')
    .option('--variant <name>', "which variant (default: the model's first)")
    .option('--runs <n>', 'runs to measure', wholeNumber, 50)
    .option('--json', 'print JSON')
    .action(async (name: string, options: { variant?: string; runs: number; json?: true }) => {
      const at = context();
      const limits = { runs: options.runs, budgetMs: Number.POSITIVE_INFINITY };
      const profile = await withModel(at, name, options.variant, (model) =>
        measureProfile(at, model, limits, at.signal),
      );
      if (options.json) return at.print(JSON.stringify(profile));
      const ms = (value: number) => `${value.toFixed(1)} ms`;
      at.print(
        [
          `${profile.model} ${profile.variant}, ${profile.samples} runs`,
          `  p50      ${ms(profile.p50Ms)}  (the runtime alone ${ms(profile.inferenceP50Ms)})`,
          `  p95      ${ms(profile.p95Ms)}`,
          `  fastest  ${ms(profile.minMs)}`,
          `  load     ${ms(profile.loadMs)}`,
          `  spread   ${(100 * profile.spread).toFixed(0)} % (half the middle half of the runs; a quiet machine has below 5 %)`,
        ].join('\n'),
      );
    });
}
