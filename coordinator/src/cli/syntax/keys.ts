import type { Command } from 'commander';
import type { World } from '../world.ts';
import { client } from './client.ts';

export function addKeys(program: Command, world: World): void {
  const keys = program.command('key').description('How programs are let in: create, list, revoke API keys');
  const load = () => import('../commands/keys.ts');
  client(
    keys.command('create').description('make an API key').argument('<name>', 'what it is for'),
    world,
    async (context, [name = '']) => (await load()).createKey(context, name),
  );
  client(keys.command('list').description('all keys, without the keys themselves'), world, async (context) =>
    (await load()).listKeys(context),
  );
  client(
    keys.command('revoke').description('refuse a key from now on').argument('<id>'),
    world,
    async (context, [id = '']) => (await load()).revokeKey(context, id),
  );
}
