import type { JsonField } from '@shoal/protocol';

/** Quantities as people write them: `500 ms`, `6/s`, `60 kB`, `22:00`. Each refusal says what would be right. */

const msPer: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 };

export function msOf(field: JsonField, least: number, most: number): number {
  const ms = quantity(field, msPer, 'a time such as `500 ms`, `20 s`, `5 min` or `2 h`');
  if (ms < least || ms > most) throw field.wrong(`must be from ${least} ms to ${most} ms`);
  return ms;
}

export function perSecondOf(field: JsonField, most: number): number {
  const perSecond = quantity(
    field,
    { '/s': 1, '/min': 1 / 60, '/h': 1 / 3_600 },
    'a rate such as `6 /s`, `30 /min` or `100 /h`',
  );
  if (!(perSecond > 0 && perSecond <= most)) throw field.wrong(`must be above 0 and at most ${most} /s`);
  return perSecond;
}

export function bytesOf(field: JsonField, most: number): number {
  const bytes = quantity(field, { B: 1, kB: 1e3, MB: 1e6 }, 'a size such as `60 kB` or `2 MB`');
  if (bytes < 0 || bytes > most) throw field.wrong(`must be from 0 B to ${most} B`);
  return bytes;
}

/** A time of the day, as minutes since midnight. */
export function minuteOf(field: JsonField): number {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(textOf(field)) ?? [];
  if (hours === undefined || Number(hours) > 24 || Number(minutes) > 59)
    throw field.wrong('must be a time of the day such as "22:00", in quotes');
  return Number(hours) * 60 + Number(minutes);
}

function quantity(field: JsonField, units: Readonly<Record<string, number>>, what: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-zA-Z/]+)$/.exec(textOf(field)) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (number === undefined || factor === undefined) throw field.wrong(`must be ${what}`);
  return Number(number) * factor;
}

function textOf({ value }: JsonField): string {
  return typeof value === 'string' ? value : '';
}
