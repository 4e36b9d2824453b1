import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { summarizeTests } from '../../scripts/test-summary.mjs';

const folder = mkdtempSync(join(tmpdir(), 'shoal-summary-'));
afterAll(() => rmSync(folder, { recursive: true }));

function aReport(testResults: readonly unknown[]): string {
  const path = join(folder, 'report.json');
  writeFileSync(path, JSON.stringify({ testResults }));
  return path;
}

const file = (name: string, status: string, results: Record<string, string>) => ({
  name: join(process.cwd(), name),
  status,
  assertionResults: Object.entries(results).map(([fullName, each]) => ({ fullName, status: each })),
});

describe('the summary of a test run', () => {
  test('counts what passed and failed, and names what was skipped in any way', () => {
    const report = aReport([
      file('a.test.ts', 'passed', { ' one': 'passed', ' two': 'pending', ' three': 'todo', ' four': 'skipped' }),
      file('b.test.ts', 'failed', { ' five': 'failed', ' six': 'passed' }),
    ]);
    expect(summarizeTests(report)).toEqual({
      passed: 2,
      failed: 1,
      skipped: 3,
      skippedNames: ['a.test.ts: two', 'a.test.ts: three', 'a.test.ts: four'],
    });
  });

  test('counts a file that could not even be loaded, or whose set-up failed, as a failure', () => {
    const report = aReport([file('a.test.ts', 'failed', {}), file('b.test.ts', 'failed', { ' one': 'skipped' })]);
    expect(summarizeTests(report)).toMatchObject({ passed: 0, failed: 2, skipped: 1 });
  });
});
