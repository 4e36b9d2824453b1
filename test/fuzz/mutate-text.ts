import type { Dice } from './dice.ts';

/** What upsets readers of text: ends of lines and of strings, what turns text around, halves of characters, numbers that are none. */
export const troublesomeTexts: readonly string[] = [
  '',
  ' ',
  '\0',
  '\n',
  '\r\n\r\n',
  '\t',
  '"',
  "'",
  '\\',
  '%',
  '%00',
  '%zz',
  '@',
  '://',
  ':',
  '?',
  '#',
  '/../',
  '&a ',
  '*a',
  '{{',
  '[[',
  '- ',
  '<<: ',
  '!!set ',
  '$(x)',
  '\u202e',
  '\u2028',
  '\ufeff',
  '\ud800',
  '\udfff',
  '💣',
  'é',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  '-Infinity',
  '1e999',
  '-0',
  '0x10',
  '9007199254740993',
  '99999999999999999999999999',
  'null',
  'true',
];

/** Changes that know where words and numbers begin. */
export function mutateText(bytes: Uint8Array, dice: Dice, other: Uint8Array): Uint8Array {
  const words = wordsOf(bytes);
  const at = dice.below(words.length);
  const end = Math.min(words.length, at + 1 + dice.below(4));
  switch (dice.below(7)) {
    case 0:
      words.splice(at, end - at);
      break;
    case 1:
      words.splice(at, 0, dice.pick(troublesomeTexts));
      break;
    case 2:
      words.splice(at, end - at, dice.pick(troublesomeTexts));
      break;
    case 3:
      words.splice(at, 0, ...words.slice(at, end));
      break;
    case 4:
      words.splice(dice.below(words.length), 0, ...words.splice(at, end - at));
      break;
    case 5: {
      const others = wordsOf(other);
      const from = dice.below(others.length);
      words.splice(at, end - at, ...others.slice(from, from + 1 + dice.below(8)));
      break;
    }
    default:
      words.splice(at, end - at, (words[at] ?? '').repeat(dice.length()));
  }
  // Latin 1, as it was read: what was no UTF-8 stays so.
  return Buffer.from(words.join(''), 'latin1');
}

function wordsOf(bytes: Uint8Array): string[] {
  return (
    Buffer.from(bytes)
      .toString('latin1')
      .match(/[A-Za-z]+|\d+|\s+|[^A-Za-z\d\s]/g) ?? ['']
  );
}
