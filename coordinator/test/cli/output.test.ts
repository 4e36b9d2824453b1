import { expect, test } from 'vitest';
import { dayText, durationText, parseDuration, positionText, shortened } from '../../src/cli/output/index.ts';

test.each([
  [0, '0:00'],
  [135_900, '2:15'],
  [3_723_000, '1:02:03'],
])('%d ms into a recording is %s', (ms, text) => expect(positionText(ms)).toBe(text));

test.each([
  [3.12, '3.1 ms'],
  [38.4, '38 ms'],
  [1_400, '1.4 s'],
  [125_000, '2 min 5 s'],
])('%d ms take %s', (ms, text) => expect(durationText(ms)).toBe(text));

test('a day is written the same everywhere, in the time zone of this machine', () => {
  expect(dayText(new Date(2026, 0, 2, 3, 4).toISOString())).toBe('2026-01-02 03:04');
});

test('a duration needs its unit', () => {
  expect([parseDuration('1.5m'), parseDuration('7d'), parseDuration('90')]).toEqual([90_000, 604_800_000, undefined]);
});

test('of a long cell the ends are kept', () => {
  expect(shortened('rtsp://camera/stream')).toBe('rtsp://camera/stream');
  const long = shortened(`rtsp://camera/${'x'.repeat(60)}/stream`);
  expect(long).toHaveLength(48);
  expect(long).toMatch(/^rtsp:\/\/camera\/x+…x+\/stream$/);
});
