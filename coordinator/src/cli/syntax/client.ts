import { type Command, Option } from 'commander';
import { type ClientOptions, type Context, openContext } from '../context.ts';
import type { World } from '../world.ts';

/** A command that talks to a coordinator: it gets the options that say which. */
export function client<Options extends ClientOptions>(
  command: Command,
  world: World,
  action: (context: Context, words: readonly string[], options: Options) => Promise<void>,
): Command {
  return command
    .option('--json', 'print JSON for programs')
    .addOption(new Option('--url <url>', 'where the coordinator answers (or SHOAL_URL)').helpGroup('Connection:'))
    .addOption(new Option('--key <key>', 'its API key (better in SHOAL_API_KEY)').helpGroup('Connection:'))
    .addOption(new Option('--data <dir>', 'the data folder of a coordinator on this machine').helpGroup('Connection:'))
    .action(async () => {
      const options = command.opts<Options>();
      const words = command.processedArgs.flat().filter((word): word is string => word !== undefined);
      await action(await openContext(options, world), words, options);
    });
}

/** The id of the device that is meant by a name or an id. @throws `not-found`, `conflict` */
export async function deviceId(context: Context, word: string): Promise<string> {
  const { findDevice } = await import('../commands/devices.ts');
  return (await findDevice(context, word)).id;
}
