import type { Command } from 'commander';
import { type CommandContext, megabytes } from '../context.ts';
import { table } from '../table.ts';

export function addList(program: Command, context: () => CommandContext): void {
  program
    .command('list')
    .description('the models that are known by name, and which of them are on this machine')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: true }) => {
      const { store, print } = context();
      const held = new Set((await store.held()).map(({ variant }) => variant.sha256));
      const models = store.catalogue.entries().map(({ manifest, variant }) => ({
        name: manifest.name,
        variant: variant.name,
        task: manifest.task,
        title: manifest.title,
        licence: manifest.licence.spdx,
        input: `${manifest.input.width}x${manifest.input.height}`,
        sizeBytes: variant.sizeBytes,
        sha256: variant.sha256,
        held: held.has(variant.sha256),
        accuracy: variant.accuracy,
      }));
      if (json) return print(JSON.stringify(models, null, 2));
      const rows = models.map((model) => [
        model.name,
        model.variant,
        model.task,
        model.input,
        megabytes(model.sizeBytes),
        model.accuracy.map(({ metric, value }) => `${metric} ${value.toFixed(3)}`).join(', ') || '-',
        model.held ? 'yes' : 'no',
        model.licence,
      ]);
      print(table(['MODEL', 'VARIANT', 'TASK', 'INPUT', 'SIZE', 'ACCURACY', 'HERE', 'LICENCE'], rows, [4]));
    });
}
