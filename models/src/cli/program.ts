import { Command } from 'commander';
import { addEval } from './commands/eval.ts';
import { addFetch } from './commands/fetch.ts';
import { addImport } from './commands/import.ts';
import { addList } from './commands/list.ts';
import { addProfile } from './commands/profile.ts';
import type { CommandContext } from './context.ts';

const help = `
Models are kept by their SHA-256 in your cache folder; SHOAL_CACHE_DIR names another one.
Manifests of your own belong into ~/.config/shoal/manifests; SHOAL_MANIFESTS_DIR names another folder.

Exit codes: 0 done; 1 it could not be done here (network, disk, engine); 2 what was asked for is wrong; 130 interrupted.

Examples:
  shoal-models list
  shoal-models fetch efficientdet-lite0 efficientdet-lite2
  shoal-models eval efficientdet-lite0 my-pictures
  shoal-models profile efficientdet-lite1 --json
`;

/** The `shoal-models` command. `context` is called when a command runs, so that `--help` touches nothing. */
export function createProgram(version: string, context: () => CommandContext): Command {
  const program = new Command('shoal-models')
    .description('Models for Shoal: list, fetch, convert, measure.')
    .version(version)
    .addHelpText('after', help)
    .showSuggestionAfterError()
    .exitOverride();
  for (const add of [addList, addFetch, addImport, addEval, addProfile]) add(program, context);
  return program;
}
