import { type Static, Type } from 'typebox';
import { type WebhookSpec, type WebhookType, type WebhookView, webhookTypes } from '../../domain/index.ts';
import { named, Timestamp, timestamp } from './schema.ts';

const word = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 128, description }));

const wanted = {
  camera: word('Only events of this camera.'),
  label: word('Only of this label, for example `person`.'),
  zone: word('Only those that entered this zone.'),
};

const Types = Type.Array(Type.Unsafe<WebhookType>({ type: 'string', enum: [...webhookTypes] }), {
  minItems: 1,
  maxItems: webhookTypes.length,
  uniqueItems: true,
});

export const WebhookRequest = named(
  'WebhookRequest',
  Type.Object(
    {
      url: Type.String({
        minLength: 1,
        maxLength: 2_048,
        description: 'Where to: a whole `http://` or `https://` URL without user name and password.',
      }),
      types: Type.Optional(Type.Unsafe<Static<typeof Types>>({ ...Types, description: 'All of them unless told.' })),
      ...wanted,
      picture: Type.Optional(
        Type.Boolean({ default: false, description: 'With the newest picture of the camera, in `data.snapshot`.' }),
      ),
    },
    { additionalProperties: false },
  ),
);

export const Webhook = named(
  'Webhook',
  Type.Object(
    {
      id: Type.String(),
      url: Type.String({ description: 'Its origin; path and query, which may be secrets, are not shown.' }),
      types: Types,
      ...wanted,
      picture: Type.Boolean(),
      createdAt: Timestamp,
      state: Type.Union([Type.Literal('on'), Type.Literal('off')], {
        description: '`off`: it answered 410. A test that arrives switches it on again.',
      }),
      reason: Type.Optional(Type.String({ description: 'Why it is off.' })),
      waiting: Type.Integer({ description: 'Deliveries that wait.' }),
      delivered: Type.Integer({ description: 'Since the coordinator started.' }),
      failed: Type.Integer({ description: 'Tries that failed; they are repeated for a day.' }),
      dropped: Type.Integer({ description: 'Never delivered: tried for too long, refused, or too many waited.' }),
      lastFailure: Type.Optional(
        Type.Object({ at: Timestamp, reason: Type.String() }, { description: 'Of the last try, when it failed.' }),
      ),
    },
    { description: 'Somebody who is told of events by requests to a URL.' },
  ),
);
export type Webhook = Static<typeof Webhook.definition>;

export function webhookSpec(request: Static<typeof WebhookRequest.definition>): WebhookSpec {
  return { ...request, types: request.types ?? webhookTypes, picture: request.picture ?? false };
}

export function webhookView({ createdAtMs, off, lastFailure, types, ...view }: WebhookView): Webhook {
  return {
    ...view,
    types: [...types],
    createdAt: timestamp(createdAtMs),
    state: off ? 'off' : 'on',
    ...(off && { reason: off.reason }),
    ...(lastFailure && { lastFailure: { at: timestamp(lastFailure.atMs), reason: lastFailure.reason } }),
  };
}
