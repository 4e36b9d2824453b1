import { randomRun } from './run/index.ts';

// `shoal-sim` grows here; so far it runs seeds of the random life and says which of them break a promise.
const [first = '1', count = '10', what] = process.argv.slice(2);
let failed = 0;
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const report = await randomRun(seed);
  const { tasks, succeeded, reports, faults, virtualMs, broken, traceDigest, trace } = report;
  const seconds = (virtualMs / 1000).toFixed(0);
  console.log(
    `seed ${seed}: ${succeeded} of ${tasks} tasks succeeded, ${reports} results over ${faults} faults in ${seconds} s of virtual time, trace ${traceDigest.slice(0, 12)}`,
  );
  for (const promise of broken) console.log(`  BROKEN: ${promise}`);
  if (broken.length > 0) failed += 1;
  if (what === 'trace') for (const line of trace) console.log(line);
}
console.log(
  failed === 0
    ? `${count} seeds, no promise broken`
    : `${failed} of ${count} seeds broke a promise; replay one with: node simulations/dist/main.js SEED 1 trace`,
);
process.exitCode = failed === 0 ? 0 : 1;
