import type { Webhook } from '../../http/index.ts';
import type { Context } from '../context.ts';
import { agoText, type Paint, printable, table } from '../output/index.ts';
import { findCamera } from './cameras.ts';

export interface WebhookChoice {
  readonly url: string;
  /** `started`, `updated`, `ended`. */
  readonly on?: readonly string[];
  /** Name or id. */
  readonly camera?: string;
  readonly label?: string;
  readonly zone?: string;
  readonly picture?: boolean;
}

export async function addWebhook(context: Context, { on, camera, ...choice }: WebhookChoice): Promise<void> {
  const json = {
    ...choice,
    ...(on && { types: on.map((phase) => `event.${phase}`) }),
    ...(camera !== undefined && { camera: (await findCamera(context, camera)).id }),
  };
  const made = await context.api.call<Webhook & { secret: string }>('POST', '/v1/webhooks', { json });
  context.show(made, () => {
    context.world.stderr.write(
      `${made.id}: what it gets is signed with this secret, which is shown this once. Try it: shoal webhooks test ${made.id}\n`,
    );
    return made.secret;
  });
}

export async function listWebhooks(context: Context): Promise<void> {
  const { items } = await context.api.call<{ items: Webhook[] }>('GET', '/v1/webhooks');
  context.show(items, () =>
    items.length === 0
      ? 'No webhooks. Add one: shoal webhooks add https://HOST/PATH'
      : webhookTable(items, context.world.clock.nowMs(), context.paint),
  );
}

function webhookTable(webhooks: readonly Webhook[], nowMs: number, paint: Paint): string {
  return table(
    webhooks,
    [
      { title: 'URL', value: ({ url }) => printable(url) },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'TELLS', value: (webhook) => printable(wantedText(webhook)) },
      { title: 'DELIVERED', value: ({ delivered }) => String(delivered), align: 'right' },
      { title: 'WAITING', value: ({ waiting }) => String(waiting), align: 'right' },
      { title: 'DROPPED', value: ({ dropped }) => String(dropped), align: 'right' },
      { title: 'TROUBLE', value: (webhook) => paint('dim', printable(troubleText(webhook, nowMs))) },
      { title: 'ID', value: ({ id }) => paint('dim', id) },
    ],
    paint,
  );
}

function wantedText({ types, camera, label, zone, picture }: Webhook): string {
  const phases = types.map((type) => type.replace('event.', '')).join(',');
  const only = [camera, label, zone].filter((word) => word !== undefined);
  return [phases, ...only, ...(picture ? ['with picture'] : [])].join(' ');
}

function troubleText({ reason, lastFailure }: Webhook, nowMs: number): string {
  if (reason !== undefined) return reason;
  return lastFailure ? `${lastFailure.reason} (${agoText(lastFailure.at, nowMs)})` : '';
}

export async function removeWebhook(context: Context, id: string): Promise<void> {
  await context.api.call('DELETE', `/v1/webhooks/${encodeURIComponent(id)}`);
  context.show({ id, removed: true }, () => `${id} is removed. What waited for it is not sent any more.`);
}

/** @returns whether it arrived */
export async function testWebhook(context: Context, id: string): Promise<boolean> {
  const trial = await context.api.call<{ delivered: boolean; status?: number; reason?: string; tookMs: number }>(
    'POST',
    `/v1/webhooks/${encodeURIComponent(id)}/test`,
  );
  context.show(trial, () =>
    trial.delivered
      ? `It arrived: the answer was ${trial.status}, after ${Math.round(trial.tookMs)} ms.`
      : `It did not arrive: ${printable(trial.reason ?? '')}.`,
  );
  return trial.delivered;
}
