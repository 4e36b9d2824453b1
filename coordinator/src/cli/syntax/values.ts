import { ShoalError } from '@shoal/protocol';
import { InvalidArgumentError } from 'commander';
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

/** Above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It is a number above 0.');
  return value;
}

/** 0 to 1. */
export function score(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It is a number from 0 to 1.');
  return value;
}
