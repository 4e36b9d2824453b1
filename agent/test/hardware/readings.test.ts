import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amount,
  cpuList,
  decimal,
  fields,
  hexadecimal,
  line,
  matching,
  percent,
  plausibleCelsius,
} from '../../src/hardware/readings.ts';
import { anyText } from './machines.ts';

describe('a number of a kernel file', () => {
  it('is read with its line end, and only when it is nothing else', () => {
    expect(decimal('61835\n')).toBe(61_835);
    expect(decimal(' -394 ')).toBe(-394);
    expect(decimal('13.87')).toBe(13.87);
    for (const text of ['', '\n', 'NaN', 'Infinity', '0x10', '1e5', '12 mA', '[N/A]', '--1', '1'.repeat(30)]) {
      expect(decimal(text)).toBeUndefined();
    }
    expect(decimal(undefined)).toBeUndefined();
  });

  it('that counts something is not negative', () => {
    expect(amount('0')).toBe(0);
    expect(amount('-1')).toBeUndefined();
  });

  it('is hexadecimal with or without 0x', () => {
    expect(hexadecimal('0x50005\n')).toBe(0x50005);
    expect(hexadecimal('50005\n')).toBe(0x50005);
    expect(hexadecimal('g')).toBeUndefined();
    expect(hexadecimal('0x123456789')).toBeUndefined();
  });

  it('is what was written, for every number', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (number) => decimal(`${number}\n`) === number));
  });
});

describe('a line for a person', () => {
  it('has no NUL of the device tree, no padding of DMI and no control characters', () => {
    expect(line('Raspberry Pi 5 Model B Rev 1.0\0')).toBe('Raspberry Pi 5 Model B Rev 1.0');
    expect(line('  ASUSTeK   COMPUTER INC. \n')).toBe('ASUSTeK COMPUTER INC.');
    expect(line('a\u001b[31mb')).toBe('a [31mb');
    expect(line('\0\n')).toBeUndefined();
  });

  it('is never long and never holds a control character', () => {
    fc.assert(
      fc.property(anyText(400), (text) => {
        const cleaned = line(text) ?? '';
        return cleaned.length <= 120 && !/\p{Cc}/u.test(cleaned);
      }),
    );
  });
});

describe('a list of CPUs', () => {
  it('is single numbers and ranges', () => {
    expect([...(cpuList('0-3,6\n') ?? [])]).toEqual([0, 1, 2, 3, 6]);
    expect([...(cpuList('0') ?? [])]).toEqual([0]);
  });

  it('that no machine has is not believed, and not counted through', () => {
    for (const text of ['', '3-1', '0-4294967295', '0-99999', 'a', '0,,1']) expect(cpuList(text)).toBeUndefined();
  });
});

it('fields keep the first of a name, and values may hold the separator', () => {
  const found = fields('processor\t: 0\nmodel name\t: A: B\nprocessor\t: 1\nno separator\n: nothing\n', ':');
  expect([...found]).toEqual([
    ['processor', '0'],
    ['model name', 'A: B'],
  ]);
});

it('a level of a battery is 0 to 100; a little more is full, anything else is nonsense', () => {
  expect([0, 61, 100, 103].map(percent)).toEqual([0, 61, 100, 100]);
  for (const nonsense of [-5, 250, Number.NaN, Number.POSITIVE_INFINITY, undefined])
    expect(percent(nonsense)).toBeUndefined();
});

it('a temperature is one that a board can have', () => {
  expect(plausibleCelsius(48.65)).toBe(48.7);
  expect(plausibleCelsius(-20)).toBe(-20);
  for (const nonsense of [-256, 2147483.6, Number.NaN, undefined]) expect(plausibleCelsius(nonsense)).toBeUndefined();
});

it('names are taken in the order a person counts', () => {
  expect(matching(['hwmon10', 'hwmon2', 'subsystem'], /^hwmon\d+$/)).toEqual(['hwmon2', 'hwmon10']);
});
