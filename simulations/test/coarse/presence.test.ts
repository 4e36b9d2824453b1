import { seededRandom } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../src/coarse/event-queue.ts';
import { startPresence } from '../../src/coarse/presence.ts';

const hourMs = 3_600_000;

/** When it came and went, hours since midnight of the first day. */
function lived(there: Parameters<typeof startPresence>[0]['there'], startHour: number, hours: number) {
  const events = new EventQueue();
  const wallMs = () => startHour * hourMs + events.nowMs;
  const seen: [what: string, atHour: number][] = [];
  startPresence({ ...(there && { there }) }, events, wallMs, seededRandom(1), {
    comes: () => seen.push(['comes', wallMs() / hourMs]),
    goes: () => seen.push(['goes', wallMs() / hourMs]),
  });
  events.run(hours * hourMs);
  return seen;
}

const day = { fromMinute: 6 * 60, toMinute: 22 * 60 };
const night = { fromMinute: 22 * 60, toMinute: 6 * 60 };

describe('a camera', () => {
  it('that is always there comes once', () => {
    expect(lived(undefined, 8, 100)).toEqual([['comes', 8]]);
  });

  it.each([
    [
      'before it comes',
      day,
      4,
      [
        ['comes', 6],
        ['goes', 22],
        ['comes', 30],
      ],
    ],
    [
      'when it comes',
      day,
      6,
      [
        ['comes', 6],
        ['goes', 22],
        ['comes', 30],
      ],
    ],
    [
      'while it is there',
      day,
      12,
      [
        ['comes', 12],
        ['goes', 22],
        ['comes', 30],
      ],
    ],
    ['when it goes', day, 22, [['comes', 30]]],
    [
      'while it is there over midnight',
      night,
      23,
      [
        ['comes', 23],
        ['goes', 30],
      ],
    ],
    [
      'between two nights',
      night,
      7,
      [
        ['comes', 22],
        ['goes', 30],
      ],
    ],
  ] as const)('comes and goes by the clock in a world that begins %s', (_, there, startHour, expected) => {
    expect(lived(there, startHour, 31 - startHour)).toEqual(expected);
  });

  it('that comes by chance is there for the part of the time that was said', () => {
    const seen = lived({ everyMs: hourMs, forMs: hourMs / 4 }, 0, 400);
    const [came, went] = ['comes', 'goes'].map((what) => seen.filter(([each]) => each === what).map(([, at]) => at));
    expect(came?.length).toBeGreaterThan(350);
    expect(came?.length).toBeLessThan(450);
    const stays = (went ?? []).map((at, index) => at - (came?.[index] ?? 0));
    expect(stays.reduce((sum, each) => sum + each, 0) / stays.length).toBeCloseTo(0.25, 1);
    expect(Math.min(...stays)).toBeGreaterThanOrEqual(0.125);
    expect(Math.max(...stays)).toBeLessThanOrEqual(0.375);
  });
});
