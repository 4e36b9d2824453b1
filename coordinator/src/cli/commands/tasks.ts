import type { Device, Task, TaskPlacement } from '../../http/index.ts';
import { placementSummary } from '../../placement/index.ts';
import type { Context } from '../context.ts';
import { agoText, durationText, type Paint, printable, table } from '../output/index.ts';

export async function listTasks(context: Context, options: { state?: string; limit: number }): Promise<void> {
  const page = await context.api.call<{ items: Task[]; nextCursor?: string }>('GET', '/v1/tasks', { query: options });
  const names = await deviceNames(context);
  context.show(page.items, () => (page.items.length === 0 ? 'No tasks.' : taskTable(page.items, names, context)));
}

function taskTable(tasks: readonly Task[], names: ReadonlyMap<string, string>, { paint, world }: Context): string {
  const nowMs = world.clock.nowMs();
  return table(
    tasks,
    [
      { title: 'ID', value: ({ id }) => id },
      { title: 'STATE', value: ({ state }) => stateText(state, paint) },
      { title: 'PIPELINE', value: ({ pipeline }) => printable(pipeline) },
      { title: 'AGE', value: ({ createdAt }) => agoText(createdAt, nowMs) },
      { title: 'TOOK', value: tookText, align: 'right' },
      { title: 'WHERE', value: (task) => whereText(task, names) },
      { title: 'WHY', value: ({ reason }) => paint('dim', printable(reason ?? '')) },
    ],
    paint,
  );
}

export async function showTask(context: Context, id: string): Promise<void> {
  const task = await context.api.call<Task>('GET', `/v1/tasks/${encodeURIComponent(id)}`);
  const names = await deviceNames(context);
  context.show(task, () => taskTable([task], names, context) + attemptTable(task, names, context.paint));
}

export async function cancelTask(context: Context, id: string): Promise<void> {
  const task = await context.api.call<Task>('DELETE', `/v1/tasks/${encodeURIComponent(id)}`);
  context.show(
    task,
    () => `${task.id} is ${task.state}${task.reason === undefined ? '' : `: ${printable(task.reason)}`}`,
  );
}

/** Why a task ran where it ran, or why it waits: every candidate with its expected time, every device that was refused. */
export async function explainTask(context: Context, id: string): Promise<void> {
  const placement = await context.api.call<TaskPlacement>('GET', `/v1/tasks/${encodeURIComponent(id)}/placement`);
  const names = await deviceNames(context);
  context.show(placement, () => explanation(placement, names, context.paint));
}

function explanation(placement: TaskPlacement, names: ReadonlyMap<string, string>, paint: Paint): string {
  const { task, state, reason, attempts } = placement;
  const head = `${task} is ${stateText(state as Task['state'], paint)}${reason === undefined ? '' : `: ${printable(reason)}`}\n`;
  if (attempts.length === 0) return `${head}It has not been tried on any device yet.\n`;
  return head + attempts.map((attempt, index) => attemptExplanation(attempt, index, names, paint)).join('');
}

function attemptExplanation(
  { device, state, reason, placement }: TaskPlacement['attempts'][number],
  index: number,
  names: ReadonlyMap<string, string>,
  paint: Paint,
): string {
  const outcome = `${state}${reason === undefined ? '' : ` (${printable(reason)})`}`;
  const title = `\nAttempt ${index + 1} on ${paint('bold', nameOf(device, names))}: ${outcome}, placed by ${placement.strategy}\n`;
  const candidates = [placement.chosen, ...placement.others];
  const times = table(
    candidates,
    [
      { title: '  DEVICE', value: (each) => `  ${nameOf(each.device, names)}` },
      { title: 'RUNS', value: ({ model, variant }) => (model === undefined ? '-' : `${model} ${variant ?? ''}`) },
      { title: 'WAIT', value: ({ queueMs }) => durationText(queueMs), align: 'right' },
      { title: 'TRANSFER', value: ({ transferMs }) => durationText(transferMs), align: 'right' },
      { title: 'LOAD', value: ({ loadMs }) => durationText(loadMs), align: 'right' },
      {
        title: 'RUN',
        value: ({ inferenceMs, guessed }) => `${durationText(inferenceMs)}${guessed ? ' (guess)' : ''}`,
        align: 'right',
      },
      { title: 'EXPECTED', value: ({ totalMs }) => durationText(totalMs), align: 'right' },
      { title: 'AT MOST', value: ({ p95Ms }) => durationText(p95Ms), align: 'right' },
      { title: 'ENERGY', value: ({ energyJ }) => `${energyJ.toPrecision(2)} J`, align: 'right' },
      { title: 'COST', value: ({ cost }) => cost.total.toPrecision(3), align: 'right' },
      { title: 'OF WHICH', value: ({ cost }) => termsText(cost) },
      { title: '', value: (each) => (each === placement.chosen ? paint('green', 'chosen') : '') },
    ],
    paint,
  );
  const refused = placement.refused.map(
    (each) => `  ${nameOf(each.device, names)} refused: ${printable(each.detail)}\n`,
  );
  const together = placement.together ? '  Decided together with other work: what costs less is left to that.\n' : '';
  const trial = placement.chosen.trial
    ? '  A trial: too slow by what the device says of itself, which no run has shown yet.\n'
    : '';
  const why = `  It was ${placementSummary(placement, (each) => nameOf(each, names))}.\n`;
  return title + times + why + together + trial + refused.join('');
}

/** The terms of a cost that count, the greatest first: `energy 0.31, time 0.05`. */
function termsText({ total, ...terms }: Candidate['cost']): string {
  const named = Object.entries(terms).filter(([, value]) => value >= total / 100 && value > 0);
  const ordered = named.sort(([, a], [, b]) => b - a);
  return ordered.map(([name, value]) => `${name} ${value.toPrecision(2)}`).join(', ') || '-';
}

type Candidate = TaskPlacement['attempts'][number]['placement']['chosen'];

function attemptTable({ attempts }: Task, names: ReadonlyMap<string, string>, paint: Paint): string {
  const rows = table(
    attempts,
    [
      { title: '  ATTEMPT', value: ({ id }) => `  ${id}` },
      { title: 'DEVICE', value: ({ device }) => nameOf(device, names) },
      { title: 'MODEL', value: ({ model, variant }) => (model === undefined ? '-' : `${model} ${variant ?? ''}`) },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'REASON', value: ({ reason }) => printable(reason ?? '') },
    ],
    paint,
  );
  return rows === '' ? '' : `\n${rows}`;
}

export async function deviceNames({ api }: Context): Promise<ReadonlyMap<string, string>> {
  const { items } = await api.call<{ items: Device[] }>('GET', '/v1/devices');
  const called = Map.groupBy(items, ({ name }) => name);
  // Devices of the same name are told apart by the beginning of their ids.
  const shown = ({ id, name }: Device) => ((called.get(name)?.length ?? 0) > 1 ? `${name} (${id.slice(0, 10)})` : name);
  return new Map(items.map((device) => [device.id, printable(shown(device))]));
}

export function nameOf(device: string, names: ReadonlyMap<string, string>): string {
  return names.get(device) ?? device;
}

function whereText({ attempts }: Task, names: ReadonlyMap<string, string>): string {
  const last = attempts.at(-1);
  return last ? nameOf(last.device, names) : '-';
}

function tookText({ createdAt, endedAt }: Task): string {
  return endedAt === undefined ? '-' : durationText(Date.parse(endedAt) - Date.parse(createdAt));
}

function stateText(state: Task['state'], paint: Paint): string {
  if (state === 'succeeded') return paint('green', state);
  return paint(state === 'queued' || state === 'running' ? 'cyan' : 'red', state);
}
