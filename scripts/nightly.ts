import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Lives that one process lives before the next begins: memory that a run leaves does not add up over a night. */
const livesEach = 100;
const dayMs = 86_400_000;
/** One in so many is of a fleet on which two coordinators place. */
const sharedOneIn = 10;

interface Batch {
  readonly first: number;
  readonly count: number;
  readonly coordinators: 1 | 2;
}

const root = join(import.meta.dirname, '..');
const [count = 10_000, asked] = process.argv.slice(2).map(Number);

process.exitCode =
  isWhole(count) && isWhole(asked ?? 0) ? await nightly(count, asked ?? firstOfTonight(count)) : refuse();

function refuse(): number {
  process.stderr.write('npm run nightly -- [COUNT] [FIRST SEED]: whole numbers\n');
  return 2;
}

function isWhole(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

/** Other lives each night. */
function firstOfTonight(lives: number): number {
  return (Math.floor(Date.now() / dayMs) * lives) % 2 ** 31;
}

/** Random lives of whole agents on all processors. What breaks a promise under one coordinator is shrunk and kept as a regression. */
async function nightly(lives: number, first: number): Promise<number> {
  const startMs = performance.now();
  const waiting = batches(lives, first);
  const total = { ran: 0, broke: 0 };
  const processes = Math.min(availableParallelism(), waiting.length);
  const work = async () => {
    for (let batch = waiting.shift(); batch; batch = waiting.shift()) await live(batch, total);
  };
  await Promise.all(Array.from({ length: processes }, work));
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
  process.stdout.write(
    `${total.ran} of ${lives} lives of whole agents from seed ${first}: ${total.broke} broke a promise; ${seconds} s on ${processes} processors\n`,
  );
  return total.ran === lives && total.broke === 0 ? 0 : 1;
}

function batches(lives: number, first: number): Batch[] {
  const batches: Batch[] = [];
  for (let done = 0; done < lives; done += livesEach) {
    const coordinators = batches.length % sharedOneIn === sharedOneIn - 1 ? 2 : 1;
    batches.push({ first: first + done, count: Math.min(livesEach, lives - done), coordinators });
  }
  return batches;
}

/** What it says of a life that broke a promise is passed on; the others are only counted. */
async function live({ first, count, coordinators }: Batch, total: { ran: number; broke: number }): Promise<void> {
  const kind = coordinators === 1 ? ['--save'] : ['--coordinators', `${coordinators}`];
  const words = ['faults', `${first}`, `${count}`, ...kind];
  const child = spawn(process.execPath, [join(root, 'simulations/bin/shoal-sim.js'), ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let life = '';
  let told = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('seed ')) {
      life = line;
      total.ran += 1;
      if (total.ran % livesEach === 0) process.stdout.write(`${total.ran} lives, ${total.broke} broke a promise\n`);
    } else if (line.startsWith('  ')) {
      if (told !== life) {
        total.broke += 1;
        process.stdout.write(`${life}\n`);
        told = life;
      }
      process.stdout.write(`${line}\n`);
    }
  }
}
