import { ShoalError } from '@shoal/protocol';
import type { Context } from '../context.ts';
import { agoText, printable, table } from '../output/index.ts';

interface Key {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

export async function createKey(context: Context, name: string): Promise<void> {
  const made = await context.api.call<Key & { key: string }>('POST', '/v1/keys', { json: { name } });
  context.show(made, () => {
    context.world.stderr.write('Shown this once: keep it.\n');
    return made.key;
  });
}

export async function listKeys(context: Context): Promise<void> {
  const { items } = await context.api.call<{ items: Key[] }>('GET', '/v1/keys');
  const nowMs = context.world.clock.nowMs();
  context.show(items, () =>
    table(
      items,
      [
        { title: 'NAME', value: ({ name }) => printable(name) },
        { title: 'MADE', value: ({ createdAt }) => agoText(createdAt, nowMs) },
        { title: 'ID', value: ({ id }) => id },
      ],
      context.paint,
    ),
  );
}

export async function revokeKey(context: Context, id: string): Promise<void> {
  // It would stand in the address of the request.
  if (id.startsWith('shoal_'))
    throw new ShoalError('input.invalid', 'this is a key, not its id: shoal key list shows the ids');
  await context.api.call('DELETE', `/v1/keys/${encodeURIComponent(id)}`);
  context.show({ id, revoked: true }, () => `${id} is revoked: it is refused from now on.`);
}
