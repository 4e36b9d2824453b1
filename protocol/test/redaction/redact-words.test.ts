import { redactWords } from '@shoal/protocol';
import { expect, it } from 'vitest';

it.each([
  ['there is no token shoal1_eyJhIjpbIm1xdHQ6Ly8x-_4', 'there is no token shoal1_***'],
  ['error: shoal_abcdefgh12345678 and "shoal1_abcdefgh"', 'error: shoal_*** and "shoal1_***"'],
  ['a token starts with shoal1_ and is copied whole', 'a token starts with shoal1_ and is copied whole'],
  ['shoal-agent join TOKEN --data ./shoal_data', 'shoal-agent join TOKEN --data ./shoal_data'],
])('%s', (text, shown) => {
  expect(redactWords(text)).toBe(shown);
});
