import { ShoalError } from '@shoal/protocol';
import type { Command } from 'commander';
import { parseRegression, replay } from '../run/index.ts';
import { tell } from './faults.ts';
import type { Terminal } from './terminal.ts';

/** `replay FILE`: a life that once broke a promise. */
export function replayCommand(program: Command, terminal: Terminal): void {
  program
    .command('replay')
    .argument('<file>', 'what `faults --save` wrote')
    .description('a life that once broke a promise, once more')
    .option('--trace', 'everything that happens')
    .action(async (file: string, { trace }: { readonly trace?: boolean }) => {
      const { once, commit, script } = parseRegression(await read(file, terminal));
      terminal.output.write(`${script.steps.length} operations; at commit ${commit} it broke: ${once}\n`);
      const report = await replay(script);
      tell(report, trace === true, terminal);
      if (report.broken.length > 0) terminal.fail();
      else terminal.output.write('no promise broken\n');
    });
}

async function read(file: string, { readFile }: Terminal): Promise<string> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new ShoalError('not-found', `${file} cannot be read`, { file }, { cause });
  }
}
