import { describe, expect, test } from 'vitest';
import {
  complaintOf,
  draftsOf,
  mayRemovePoint,
  moved,
  newDraft,
  placesIn,
  withPointAfter,
} from '../../dashboard/src/data/drafts.ts';

describe('zones and lines that are drawn', () => {
  test('come back as they were', () => {
    const places = {
      zones: {
        door: [
          [0.1, 0.2],
          [0.3, 0.2],
          [0.3, 0.9],
        ] as const,
      },
      lines: {
        gate: [
          [0, 0.5],
          [1, 0.5],
        ] as const,
      },
    };
    expect(placesIn(draftsOf(places))).toEqual(places);
  });

  test('begin in the middle, under a name that no other has', () => {
    const first = newDraft('zone', []);
    const second = newDraft('zone', [first]);
    expect([first.name, second.name, newDraft('line', [first]).name]).toEqual(['zone 1', 'zone 2', 'line 1']);
    expect(second.key).not.toBe(first.key);
    for (const share of first.points.flat()) expect(share).toSatisfy((value: number) => value > 0 && value < 1);
  });

  test('stay on the picture wherever a point is moved to', () => {
    expect(moved([[0.5, 0.5]], 0, [9, -9])).toEqual([[1, 0]]);
    expect(moved([[0.5, 0.5]], 0, [0.01234, 0])).toEqual([[0.512, 0.5]]);
  });

  test('keep the points that they need, and get more up to a limit', () => {
    const zone = newDraft('zone', []);
    expect(mayRemovePoint(zone)).toBe(true);
    expect(mayRemovePoint({ ...zone, points: zone.points.slice(1) })).toBe(false);
    for (let i = 0; i < 100; i++) zone.points = withPointAfter(zone, 0);
    expect(zone.points).toHaveLength(32);
    const line = newDraft('line', []);
    expect([mayRemovePoint(line), withPointAfter(line, 0).length]).toEqual([false, 2]);
  });

  test('are not kept without a name, or with one twice', () => {
    const zone = newDraft('zone', []);
    expect(complaintOf([{ ...zone, name: ' ' }])).toMatch(/needs a name/);
    expect(complaintOf([zone, { ...zone, key: 9, name: `${zone.name} ` }])).toMatch(/same name/);
    expect(complaintOf([zone, newDraft('zone', [zone])])).toBeUndefined();
  });
});
