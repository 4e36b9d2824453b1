import type { Places } from './places.ts';
import type { Point } from './types.ts';

export type Kind = 'zone' | 'line';

/** A zone or a line while it is being drawn. */
export interface Draft {
  /** Of the editor alone. */
  readonly key: number;
  readonly kind: Kind;
  name: string;
  points: Point[];
}

const least: Readonly<Record<Kind, number>> = { zone: 3, line: 2 };
const mostPoints = 32;

export function draftsOf({ zones, lines }: Places): Draft[] {
  const all = [
    ...Object.entries(zones).map(([name, points]) => ({ kind: 'zone' as const, name, points: [...points] })),
    ...Object.entries(lines).map(([name, points]) => ({ kind: 'line' as const, name, points: [...points] })),
  ];
  return all.map((draft, key) => ({ key, ...draft }));
}

/** One to begin with, in the middle of the picture, under a name that no other has. */
export function newDraft(kind: Kind, others: readonly Draft[]): Draft {
  const names = new Set(others.map(({ name }) => name));
  let number = 1;
  while (names.has(`${kind} ${number}`)) number++;
  const points: Point[] =
    kind === 'zone'
      ? [
          [0.3, 0.35],
          [0.7, 0.35],
          [0.7, 0.8],
          [0.3, 0.8],
        ]
      : [
          [0.3, 0.6],
          [0.7, 0.6],
        ];
  return { key: Math.max(-1, ...others.map(({ key }) => key)) + 1, kind, name: `${kind} ${number}`, points };
}

export function placesIn(drafts: readonly Draft[]): Places {
  const of = (kind: Kind) =>
    Object.fromEntries(drafts.filter((draft) => draft.kind === kind).map(({ name, points }) => [name.trim(), points]));
  return { zones: of('zone'), lines: of('line') };
}

/** What a person has to mend before it can be kept. */
export function complaintOf(drafts: readonly Draft[]): string | undefined {
  const names = drafts.map(({ kind, name }) => `${kind} ${name.trim()}`);
  if (drafts.some(({ name }) => name.trim() === '')) return 'Each zone and line needs a name.';
  if (new Set(names).size < names.length) return 'Two of them have the same name.';
  return undefined;
}

export function moved(points: readonly Point[], index: number, [dx, dy]: Point): Point[] {
  return points.map((point, i) => (i === index ? placed([point[0] + dx, point[1] + dy]) : point));
}

/** On the picture, to a thousandth of it. */
export function placed([x, y]: Point): Point {
  return [inside(x), inside(y)];
}

function inside(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 1_000;
}

export function mayRemovePoint({ kind, points }: Draft): boolean {
  return points.length > least[kind];
}

/** Another point half of the way to the next one. A line has two, and no more. */
export function withPointAfter({ kind, points }: Draft, index: number): Point[] {
  const from = points[index];
  const to = points[(index + 1) % points.length];
  if (kind === 'line' || points.length >= mostPoints || !from || !to) return points;
  return points.toSpliced(index + 1, 0, placed([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]));
}
