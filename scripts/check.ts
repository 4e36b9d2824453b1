import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { summarizeTests } from './test-summary.mjs';

interface Step {
  readonly name: string;
  /** Run in the root of the repository, with `node_modules/.bin` on the path. */
  readonly command: string;
  /** Test files to run and count. */
  readonly tests?: readonly string[];
}

const root = join(import.meta.dirname, '..');
const reports = mkdtempSync(join(tmpdir(), 'shoal-check-'));
const testFiles = globSync(['*/test/**/*.test.ts', 'test/{conformance,tooling}/**/*.test.ts'], { cwd: root }).sort();
const conformance = testFiles.filter((file) => file.includes('conformance'));
const unit = testFiles.filter((file) => !conformance.includes(file));
const architecture = globSync('test/architecture/*.test.ts', { cwd: root }).sort();

/**
 * The developers' one command: everything that is quick, the cheapest first. It ends at the first stage with a failure; the steps of
 * a stage need nothing of each other and run at the same time. `npm run check -- types unit` runs only these steps.
 */
const allStages: readonly (readonly Step[])[] = [
  [
    { name: 'lint', command: 'biome check .' },
    { name: 'types', command: 'tsc -b' },
    { name: 'generated', command: 'node --conditions=source scripts/generate.ts --check' },
  ],
  [
    { name: 'architecture', command: 'vitest run', tests: architecture },
    { name: 'unit', command: 'vitest run', tests: unit },
    { name: 'conformance', command: 'vitest run', tests: conformance },
    // Lives that the unit tests do not run.
    { name: 'simulation', command: 'node simulations/bin/shoal-sim.js faults 26 10' },
  ],
];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !allStages.flat().some((step) => step.name === name));
const stages = allStages.map((steps) =>
  withOneTestRun(asked.length > 0 ? steps.filter((step) => asked.includes(step.name)) : steps),
);

process.exitCode = unknown.length > 0 ? refuse() : await check();
rmSync(reports, { recursive: true });

function refuse(): number {
  const names = allStages.flat().map(({ name }) => name);
  console.error(`There is no step ${unknown.join(', ')}. There are: ${names.join(', ')}`);
  return 2;
}

/** The tests of several steps share one run of vitest: it starts once, and none of its processes waits for the last test of a step. */
function withOneTestRun(steps: readonly Step[]): readonly Step[] {
  const tested = steps.filter(({ tests }) => tests !== undefined);
  const name = tested.map((step) => step.name).join(', ');
  const tests = tested.flatMap((step) => step.tests ?? []);
  const others = steps.filter((step) => !tested.includes(step));
  return tests.length === 0 ? others : [{ name, command: 'vitest run', tests }, ...others];
}

async function check(): Promise<number> {
  const startMs = performance.now();
  const total = { passed: 0, skipped: 0 };
  const skippedNames: string[] = [];
  for (const steps of stages) {
    const outcomes = await Promise.all(steps.map(run));
    const failed = outcomes.filter(({ passed }) => !passed);
    for (const { step, output } of failed)
      console.error(`${output}\n\n${step.name} failed. To run it alone: npx ${alone(step)}`);
    if (failed.length > 0) return 1;
    for (const { tests } of outcomes) {
      total.passed += tests?.passed ?? 0;
      total.skipped += tests?.skipped ?? 0;
      skippedNames.push(...(tests?.skippedNames ?? []));
    }
  }
  for (const name of skippedNames) console.log(`  skipped: ${name}`);
  console.log(`All in ${secondsSince(startMs)} s: ${total.passed} tests passed, ${total.skipped} skipped.`);
  return 0;
}

async function run(step: Step) {
  const startMs = performance.now();
  const report = join(reports, 'tests.json');
  const { code, output } = await execute(
    step.tests ? `${step.command} ${reporting(report)} ${step.tests.join(' ')}` : step.command,
  );
  const tests = step.tests ? countTests(report) : undefined;
  const counts = tests ? `${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped` : '';
  const passed = code === 0;
  console.log(`${passed ? '✓' : '✗'} ${step.name.padEnd(31)} ${secondsSince(startMs).padStart(6)} s  ${counts}`);
  return { step, passed, output, tests };
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
