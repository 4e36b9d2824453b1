import { ShoalError } from '@shoal/protocol';
import { InvalidArgumentError } from 'commander';
import type { ChargingWindow } from '../../domain/index.ts';
import { parseDuration } from '../output/index.ts';

/** `NAME=VALUE` words; the value may be empty. @throws `input.invalid` */
export function parseLabels(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
      if (name === undefined || value === undefined)
        throw new ShoalError('input.invalid', `a label is NAME=VALUE, not ${word}`);
      return [name, value];
    }),
  );
}

// Of one option or argument. What they throw, commander says along with the option's name.

/** `30s`, `15m`, `24h`, `7d` as ms, above 0. */
export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('It is a number and a unit: 30s, 15m, 24h, 7d.');
  return ms;
}

/** At least 1. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a whole number of at least 1.');
  return Number(text);
}

/** 0 to 9. */
export function digit(text: string): number {
  if (!/^\d$/.test(text)) throw new InvalidArgumentError('It is a whole number from 0 to 9.');
  return Number(text);
}

/** Above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It is a number above 0.');
  return value;
}

/** 0 to 100. */
export function percent(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100))
    throw new InvalidArgumentError('It is a number from 0 to 100.');
  return value;
}

/** `07:00-17:00@12`: charged with 12 W between these times of the day (UTC). */
export function chargingWindow(text: string, before: readonly ChargingWindow[] = []): readonly ChargingWindow[] {
  const [, ...numbers] = /^(\d{1,2}):([0-5]\d)-(\d{1,2}):([0-5]\d)@(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const [fromHour = 99, fromMinute = 0, toHour = 99, toMinute = 0, watts = 0] = numbers.map(Number);
  if (fromHour > 24 || toHour > 24)
    throw new InvalidArgumentError('It is FROM-TO@WATTS with times of the day in UTC: 07:00-17:00@12.');
  return [...before, { fromMinute: fromHour * 60 + fromMinute, toMinute: toHour * 60 + toMinute, watts }];
}

/** 0 to 1. */
export function score(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It is a number from 0 to 1.');
  return value;
}
