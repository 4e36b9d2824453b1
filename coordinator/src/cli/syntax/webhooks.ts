import { type Command, InvalidArgumentError } from 'commander';
import type { ClientOptions } from '../context.ts';
import { exitCodes, type SetExitCode } from '../exit-codes.ts';
import type { World } from '../world.ts';
import { client } from './client.ts';

const phases: readonly string[] = ['started', 'updated', 'ended'];

interface AddOptions extends ClientOptions {
  readonly on?: readonly string[];
  readonly camera?: string;
  readonly label?: string;
  readonly zone?: string;
  readonly picture?: boolean;
}

export function addWebhooks(program: Command, world: World, setExitCode: SetExitCode): void {
  const webhooks = program
    .command('webhooks')
    .description('Who is told of events by requests to a URL: list, add, remove, test');
  const load = () => import('../commands/webhooks.ts');
  client(webhooks.command('list', { isDefault: true }).description('list all webhooks'), world, async (context) =>
    (await load()).listWebhooks(context),
  );
  const add = webhooks
    .command('add')
    .description('tell a URL of events, as signed CloudEvents')
    .argument('<url>', 'where to')
    .option('--on <phases>', 'only of these: started,updated,ended', phasesOf)
    .option('--camera <name>', 'only of this camera, by name or id')
    .option('--label <label>', 'only of these things, for example person')
    .option('--zone <zone>', 'only of what entered this zone')
    .option('--picture', 'with the newest picture of the camera');
  client<AddOptions>(add, world, async (context, [url = ''], { on, camera, label, zone, picture }) =>
    (await load()).addWebhook(context, {
      url,
      ...(on && { on }),
      ...(camera !== undefined && { camera }),
      ...(label !== undefined && { label }),
      ...(zone !== undefined && { zone }),
      ...(picture && { picture }),
    }),
  );
  client(
    webhooks.command('remove').description('tell it nothing any more').argument('<id>'),
    world,
    async (context, [id = '']) => (await load()).removeWebhook(context, id),
  );
  client(
    webhooks.command('test').description('send something now, and say what became of it').argument('<id>'),
    world,
    async (context, [id = '']) => {
      if (!(await (await load()).testWebhook(context, id))) setExitCode(exitCodes.failed);
    },
  );
}

function phasesOf(text: string): readonly string[] {
  const chosen = [...new Set(text.split(','))];
  if (!chosen.every((phase) => phases.includes(phase)))
    throw new InvalidArgumentError(`It is one or more of ${phases.join(', ')}, with commas between.`);
  return chosen;
}
