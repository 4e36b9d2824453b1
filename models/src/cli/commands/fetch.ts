import type { Command } from 'commander';
import { type CommandContext, megabytes, received } from '../context.ts';

export function addFetch(program: Command, context: () => CommandContext): void {
  program
    .command('fetch')
    .description('bring models onto this machine, checked by their SHA-256; from then on no network is needed')
    .argument('<name...>', 'models, as `list` names them')
    .option('--variant <name>', "which variant (default: each model's first)")
    .option('--json', 'print JSON')
    .action(async (names: string[], { variant, json }: { variant?: string; json?: true }) => {
      const { store, signal, print, progress } = context();
      const fetched = [];
      for (const name of names) {
        const model = await store.resolve(name, variant, { signal, onProgress: (state) => progress(received(state)) });
        const { sha256, sizeBytes } = model.variant;
        fetched.push({ name, variant: model.variant.name, path: model.path, sha256, sizeBytes });
        if (!json) print(`${name} ${model.variant.name}  ${megabytes(sizeBytes)}  ${model.path}`);
      }
      if (json) print(JSON.stringify(fetched, null, 2));
    });
}
