import { type Command, Option } from 'commander';
import type { ClientOptions } from '../context.ts';
import type { World } from '../world.ts';
import { client } from './client.ts';
import { duration, parseLabels, wholeNumber } from './values.ts';

export function addTokens(program: Command, world: World): void {
  const tokens = program.command('token').description('How devices join: create, list, revoke');
  const load = () => import('../commands/tokens.ts');
  const create = tokens
    .command('create')
    .description('make a token; it says where devices reach this coordinator')
    .option('--uses <n>', 'how many devices may join with it', wholeNumber, 1)
    .addOption(
      new Option('--expires <time>', 'for how long, like 15m, 24h, 7d')
        .argParser(duration)
        .default(24 * 3_600_000, '24h'),
    )
    .option('--label <name=value...>', 'labels for the devices that join with it')
    .option('--approve', 'whoever joins with it waits until you approve it: shoal devices approve NAME')
    .option('--qr', 'show it as a QR code too, also where standard error is no terminal')
    .option('--no-qr', 'do not show it as a QR code');
  client<ClientOptions & { uses: number; expires: number; label?: string[]; approve?: boolean; qr?: boolean }>(
    create,
    world,
    async (context, _words, options) =>
      (await load()).createToken(
        context,
        {
          uses: options.uses,
          lifetimeMs: options.expires,
          labels: parseLabels(options.label ?? []),
          approve: options.approve ?? false,
        },
        options.qr,
      ),
  );
  client(
    tokens.command('list').description('tokens, and how many devices may still join with each'),
    world,
    async (context) => (await load()).listTokens(context),
  );
  client(
    tokens.command('revoke').description('take a token back').argument('<token>', 'its id, or the token itself'),
    world,
    async (context, [word = '']) => (await load()).revokeToken(context, word),
  );
}
