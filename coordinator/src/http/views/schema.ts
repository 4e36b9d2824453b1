import { type Static, type TSchema, Type } from 'typebox';

/** Pieces that several resources share. Times are RFC 3339 in UTC, durations ms, sizes bytes: units stand in the names. */
export const Timestamp = Type.String({ format: 'date-time', examples: ['2026-11-21T12:00:00.000Z'] });

export const Digest = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256 of the bytes, lower-case hex.',
});

export const Picture = Type.Object(
  { width: Type.Integer(), height: Type.Integer() },
  { description: 'Size of the analysed picture, pixels. Boxes are in its coordinates.' },
);

export const Box = Type.Object(
  { x: Type.Number(), y: Type.Number(), width: Type.Number(), height: Type.Number() },
  { description: 'Pixels: left, top, width, height.' },
);

export const Labels = Type.Record(Type.String({ minLength: 1, maxLength: 64 }), Type.String({ maxLength: 256 }), {
  maxProperties: 64,
  description: 'Names and values, free to choose, for example `{ "site": "barn" }`.',
});

export const DeviceId = Type.String({
  pattern: '^dev_[a-z2-7]{26}$',
  description: 'Id of a device, derived from its public key.',
});

export const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) });

/** A result of what `id` names. */
export const ResultParams = Type.Object({
  ...IdParams.properties,
  result: Type.String({ minLength: 1, maxLength: 128, description: 'Id of a result.' }),
});

export const PageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 500, default: 50, description: 'Most items on a page; 50 unless told.' }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 512, description: '`nextCursor` of the page before this one.' }),
  ),
};

/** A page of a list, newest first. */
export function pageOf<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    nextCursor: Type.Optional(
      Type.String({ description: 'Give it as `cursor` to get the next page. Missing on the last page.' }),
    ),
  });
}

/** A schema that stands in the document once, under its name, and is referred to wherever it is used. */
export function named<Schema extends TSchema>(name: string, schema: Schema) {
  const definition = { ...schema, $id: name };
  return { definition, ref: Type.Unsafe<Static<Schema>>({ $ref: `${name}#` }) };
}

export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** Leaves out the members without a value: JSON has no `undefined`, and `null` would be one more thing to explain. */
export function present<Out extends object>(value: { readonly [K in keyof Out]: unknown }): Out {
  const kept = Object.entries(value).filter(([, member]) => member !== undefined && member !== null);
  return Object.fromEntries(kept) as Out;
}
