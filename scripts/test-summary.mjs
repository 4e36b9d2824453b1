// Counts what vitest's JSON report says. Plain JavaScript: .ci/run calls it with whatever Node the machine has.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {{ fullName: string, status: string }} Assertion
 * @typedef {{ name: string, status: string, assertionResults: Assertion[] }} TestFile
 * @typedef {{ passed: number, failed: number, skipped: number, skippedNames: string[] }} TestSummary
 */

/**
 * @param {string} reportPath
 * @returns {TestSummary}
 */
export function summarizeTests(reportPath) {
  /** @type {{ testResults: TestFile[] }} */
  const report = JSON.parse(readFileSync(reportPath, 'utf8'));
  /** @type {TestSummary} */
  const summary = { passed: 0, failed: 0, skipped: 0, skippedNames: [] };
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'passed') summary.passed += 1;
      else if (test.status === 'failed') summary.failed += 1;
      else {
        summary.skipped += 1;
        summary.skippedNames.push(`${relative(process.cwd(), file.name)}: ${test.fullName.trim()}`);
      }
    }
    // A file that cannot be loaded has no tests, and has failed all the same.
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
      summary.failed += 1;
  }
  return summary;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, skipped, skippedNames } = summarizeTests(process.argv[2] ?? '');
  if (skipped > 0) console.log(`Skipped:\n${skippedNames.map((name) => `  ${name}`).join('\n')}`);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}
