import { availableParallelism } from 'node:os';
import { batchesOf } from './batch.ts';
import { FuzzProcess } from './fuzz-process.ts';
import { Summary } from './summary.ts';
import { allTargets, shares } from './targets.ts';

const dayMs = 86_400_000;
const [count = 10_000_000, asked] = process.argv.slice(2, 4).map(Number);
/** Only targets with this in their names. */
const wanted = process.argv[4] ?? '';

process.exitCode = isWhole(count) && isWhole(asked ?? 0) ? await fuzz(count, asked ?? seedOfTonight()) : refuse();

function refuse(): number {
  process.stderr.write('npm run fuzz -- [COUNT] [SEED] [PART OF THE NAMES OF TARGETS]: whole numbers\n');
  return 2;
}

function isWhole(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

/** Other inputs each night. */
function seedOfTonight(): number {
  return Math.floor(Date.now() / dayMs);
}

/** Random and changed inputs for all decoders, on all processors. What fails is made short and kept in `test/fuzz/regressions`. */
async function fuzz(count: number, seed: number): Promise<number> {
  const targets = (await allTargets()).filter(({ name }) => name.includes(wanted));
  const waiting = batchesOf(shares(targets, count), seed);
  const processes = Math.min(availableParallelism(), waiting.length);
  const summary = new Summary(seed, processes);
  const work = async () => {
    const child = new FuzzProcess();
    for (let batch = waiting.shift(); batch; batch = waiting.shift()) await summary.add(batch, await child.run(batch));
    child.stop();
  };
  await Promise.all(Array.from({ length: processes }, work));
  summary.print();
  return summary.failures === 0 ? 0 : 1;
}
