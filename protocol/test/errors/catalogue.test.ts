import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorKind, errorCatalogue } from '@shoal/protocol';
import { describe, expect, test } from 'vitest';

const documented = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const kinds = Object.entries<ErrorKind>(errorCatalogue);

describe('the error catalogue', () => {
  test.each(kinds)('%s is documented as it is', (code, { title, blame, http, coap, retryable }) => {
    const row = documented.find(([name]) => name === `\`${code}\``);
    expect(row).toEqual([`\`${code}\``, title, blame, String(http), coap, retryable ? 'yes' : 'no']);
  });

  test('documents no code that there is not, and none twice', () => {
    expect(documented.map(([name]) => name)).toEqual(kinds.map(([code]) => `\`${code}\``));
  });

  test.each(kinds)('%s has a name, statuses and a sentence that can be sent', (code, { title, blame, http, coap }) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)?$/);
    expect(title).toMatch(/^[A-Z][^|]*\.$/);
    expect(http).toBeGreaterThanOrEqual(400);
    expect(http).toBeLessThan(600);
    expect(coap).toMatch(/^[45]\.\d\d$/);
    if (blame === 'us') expect(http, 'our defects are 500s').toBe(500);
    if (blame === 'caller') expect(http, 'a wrong request is a 400').toBeLessThan(500);
  });
});
