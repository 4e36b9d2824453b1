import type { JsonField } from '@shoal/protocol';
import type { ByChance, Workload } from './fleet.ts';
import { msOf } from './units.ts';

/** What several parts of a fleet file have in common. */

const longestMs = 7 * 86_400_000;

export function parseLabels(field: JsonField): Readonly<Record<string, string>> {
  if (field.value === undefined) return {};
  return Object.fromEntries(field.entries(16).map(([label, value]) => [label, value.text()]));
}

export function parseObjects(field: JsonField): Workload['objects'] {
  if (field.value === undefined) return { few: 0.6, some: 0.3, many: 0.1 };
  const { few, some, many } = field.object('few', 'some', 'many');
  const shares = { few: few.number(0, 1), some: some.number(0, 1), many: many.number(0, 1) };
  const sum = shares.few + shares.some + shares.many;
  if (Math.abs(sum - 1) > 1e-6) throw field.wrong(`are shares that must sum to 1; they sum to ${sum}`);
  return shares;
}

export function parseByChance(field: JsonField): ByChance {
  const { every, for: duration } = field.object('every', 'for');
  const everyMs = msOf(every, 1_000, longestMs);
  const forMs = msOf(duration, 1_000, longestMs);
  if (forMs >= everyMs) throw duration.wrong('must be shorter than `every`');
  return { everyMs, forMs };
}
