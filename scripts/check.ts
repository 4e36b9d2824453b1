import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { summarizeTests } from './test-summary.mjs';

interface Step {
  readonly name: string;
  /** Run in the root of the repository, with `node_modules/.bin` on the path. */
  readonly command: string;
  /** Test files to run and count; when there are none yet, the step is left out. */
  readonly tests?: readonly string[];
}

const root = join(import.meta.dirname, '..');
const reports = mkdtempSync(join(tmpdir(), 'shoal-check-'));
const testFiles = globSync(['*/test/**/*.test.ts', 'test/{conformance,tooling}/**/*.test.ts'], { cwd: root }).sort();
const conformance = testFiles.filter((file) => file.includes('conformance'));
const unit = testFiles.filter((file) => !conformance.includes(file));
const architecture = globSync('test/architecture/*.test.ts', { cwd: root }).sort();
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/**
 * The developers' one command: everything that is quick, the cheapest first. It ends at the first failure.
 * `npm run check -- types unit` runs only these steps.
 */
const allSteps: readonly Step[] = [
  { name: 'lint', command: 'biome check .' },
  { name: 'types', command: 'tsc -b' },
  { name: 'generated', command: 'node --conditions=source scripts/generate.ts --check' },
  { name: 'architecture', command: 'vitest run', tests: architecture },
  { name: 'unit', command: 'vitest run', tests: unit },
  { name: 'conformance', command: 'vitest run', tests: conformance },
  ...(scripts['simulate:short'] ? [{ name: 'simulation', command: 'npm run simulate:short' }] : []),
];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !allSteps.some((step) => step.name === name));
const steps = asked.length > 0 ? allSteps.filter((step) => asked.includes(step.name)) : allSteps;

process.exitCode = unknown.length > 0 ? refuse() : await check();
rmSync(reports, { recursive: true });

function refuse(): number {
  console.error(`There is no step ${unknown.join(', ')}. There are: ${allSteps.map((step) => step.name).join(', ')}`);
  return 2;
}

async function check(): Promise<number> {
  const startMs = performance.now();
  const total = { passed: 0, skipped: 0 };
  const skippedNames: string[] = [];
  for (const step of steps) {
    if (step.tests?.length === 0) {
      console.log(`- ${step.name}: there are none yet`);
      continue;
    }
    const outcome = await run(step);
    console.log(
      `${outcome.passed ? '✓' : '✗'} ${step.name.padEnd(12)} ${outcome.seconds.padStart(6)} s  ${outcome.counts}`,
    );
    if (!outcome.passed) {
      console.error(`${outcome.output}\n\n${step.name} failed. To run it alone: npx ${alone(step)}`);
      return 1;
    }
    total.passed += outcome.tests?.passed ?? 0;
    total.skipped += outcome.tests?.skipped ?? 0;
    skippedNames.push(...(outcome.tests?.skippedNames ?? []));
  }
  for (const name of skippedNames) console.log(`  skipped: ${name}`);
  console.log(`All in ${secondsSince(startMs)} s: ${total.passed} tests passed, ${total.skipped} skipped.`);
  return 0;
}

async function run(step: Step) {
  const startMs = performance.now();
  const report = join(reports, `${step.name}.json`);
  const { code, output } = await execute(
    step.tests ? `${step.command} ${reporting(report)} ${step.tests.join(' ')}` : step.command,
  );
  const tests = step.tests ? countTests(report) : undefined;
  const counts = tests ? `${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped` : '';
  return { passed: code === 0, output, tests, counts, seconds: secondsSince(startMs) };
}

function reporting(report: string): string {
  return `--reporter=default --reporter=json --outputFile.json='${report}'`;
}

/** What to type: whole folders where a step runs many files. */
function alone({ command, tests }: Step): string {
  if (!tests) return command;
  const folders = new Set(tests.map((file) => file.split('/').slice(0, 2).join('/')));
  return `${command} ${[...folders].join(' ')}`;
}

function countTests(report: string) {
  try {
    return summarizeTests(report);
  } catch {
    return undefined; // vitest itself failed: its output says why
  }
}

function execute(command: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const path = `${join(root, 'node_modules', '.bin')}:${process.env['PATH']}`;
    const child = spawn(command, {
      cwd: root,
      shell: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: path },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: output.trimEnd() }));
  });
}

function secondsSince(startMs: number): string {
  return ((performance.now() - startMs) / 1000).toFixed(1);
}
