import { afterAll, describe, expect, it } from 'vitest';
import { judge } from './judge.ts';
import { readRegressions } from './regressions.ts';
import { runCases } from './run-cases.ts';
import { allTargets, shares } from './targets.ts';

/** The share of CI: the same on every machine. `npm run fuzz` runs others. */
const count = 50_000;
const seed = 20_260_101;

const targets = await allTargets();
const shareOf = shares(targets, count);
const regressions = await readRegressions();
const total = { ran: 0, taken: 0 };

describe.each([...targets])('$name', (target) => {
  it('takes what is genuine', async () => {
    for (const sample of target.samples) expect(await judge(target, sample)).toEqual({ kind: 'taken' });
  });

  it('takes or refuses whatever it is given, and never more', async () => {
    const tally = await runCases(target, { seed, first: 0, count: shareOf.get(target) ?? 0 });
    const { ran, taken, found } = tally;
    total.ran += ran;
    total.taken += taken;
    const [first] = found;
    if (first) throw new Error(`input ${first.number}: ${hexOf(first.bytes)}`, { cause: first.failure.error });
  });
});

describe.skipIf(regressions.length === 0)('what once failed', () => {
  it.each(regressions)('$file does not fail again', async ({ target: name, hex }) => {
    const target = targets.find((candidate) => candidate.name === name);
    expect(target, `there is no target ${name} any more: remove the file`).toBeDefined();
    if (target) expect((await judge(target, Buffer.from(hex, 'hex'))).kind).not.toBe('failed');
  });
});

afterAll(() => {
  const { ran, taken } = total;
  process.stdout.write(
    `${ran} random and changed inputs for ${targets.length} decoders, ${taken} taken; seed ${seed}\n`,
  );
});

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 2_000)).toString('hex');
}
