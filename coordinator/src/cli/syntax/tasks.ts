import { type Command, Option } from 'commander';
import type { ClientOptions } from '../context.ts';
import { taskStates } from '../task-states.ts';
import type { World } from '../world.ts';
import { client } from './client.ts';
import { wholeNumber } from './values.ts';

export function addTasks(program: Command, world: World): void {
  const tasks = program.command('tasks').description('One-shot analyses: list, show, cancel');
  const load = () => import('../commands/tasks.ts');
  client<ClientOptions & { state?: string; limit: number }>(
    tasks
      .command('list', { isDefault: true })
      .description('list tasks, newest first')
      .addOption(new Option('--state <state>', 'only these').choices(taskStates))
      .option('--limit <n>', 'how many', wholeNumber, 20),
    world,
    async (context, _words, { state, limit }) =>
      (await load()).listTasks(context, state === undefined ? { limit } : { state, limit }),
  );
  client(
    tasks.command('show').description('one task and its attempts').argument('<task>'),
    world,
    async (context, [id = '']) => (await load()).showTask(context, id),
  );
  client(tasks.command('cancel').description('end a task').argument('<task>'), world, async (context, [id = '']) =>
    (await load()).cancelTask(context, id),
  );
  const explain = 'Why a task ran where it ran, or why it waits';
  client(program.command('explain').description(explain).argument('<task>'), world, async (context, [id = '']) =>
    (await load()).explainTask(context, id),
  );
}
