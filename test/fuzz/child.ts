import { openSync, writeSync } from 'node:fs';
import { type Batch, type FailureReport, type Report, reportOf } from './batch.ts';
import { bytesInUse } from './growth.ts';
import { runCases } from './run-cases.ts';
import { shrink } from './shrink.ts';
import { allTargets } from './targets.ts';

// One process of `npm run fuzz`: does batches until there are none. A file always says which input is being tried, for the case that none follows.
const [traceFile = ''] = process.argv.slice(2);
const trace = openSync(traceFile, 'w');
const number8 = new Float64Array(1);
const targets = new Map((await allTargets()).map((target) => [target.name, target]));

process.on('message', (batch: Batch) => {
  void run(batch).then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function run(batch: Batch): Promise<Report> {
  const target = targets.get(batch.target);
  if (!target) throw new Error(`no target ${batch.target}`);
  const before = await bytesInUse();
  const tally = await runCases(target, batch, (number) => {
    number8[0] = number;
    writeSync(trace, number8, 0, 8, 0);
  });
  const grownBytes = (await bytesInUse()) - before;
  const failures: FailureReport[] = [];
  for (const { number, bytes, failure } of tally.found) {
    const smallest = await shrink(target, bytes, failure.sign);
    const why = failure.error instanceof Error ? failure.error.message : String(failure.error);
    failures.push({ number, sign: failure.sign, why: why.slice(0, 300), hex: Buffer.from(smallest).toString('hex') });
  }
  return reportOf(tally, failures, grownBytes);
}
