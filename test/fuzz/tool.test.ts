import { ShoalError } from '@shoal/protocol';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { caseOf } from './cases.ts';
import { bytesInUse, isGrowth } from './growth.ts';
import { judge } from './judge.ts';
import { runCases } from './run-cases.ts';
import { shrink } from './shrink.ts';

const sample = Buffer.from('{"list":[1,2,3],"name":"a device"}');

function aTarget(take: FuzzTarget['take'], form: FuzzTarget['form'] = 'json'): FuzzTarget {
  return { name: 'planted', form, samples: [sample], refuses: ['message.malformed'], take };
}

/** Fails on documents whose list is empty; which of the two kinds of failure, depends on the name. */
const planted = aTarget((bytes) => {
  let document: { list?: unknown; name?: unknown } | null;
  try {
    document = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    throw new ShoalError('message.malformed', 'not JSON');
  }
  if (!Array.isArray(document?.list) || document.list.length > 0) return;
  if (document.name === undefined) throw new RangeError('without a name');
  throw new ShoalError('defect', 'with a name');
});

describe('the fuzzer', () => {
  it('makes the same inputs of the same seed, and others of others', () => {
    const inputs = (seed: number) =>
      Array.from({ length: 50 }, (_, i) => Buffer.from(caseOf(planted, seed, i)).toString('hex'));
    expect(inputs(1)).toEqual(inputs(1));
    expect(inputs(2).filter((hex, i) => hex === inputs(1)[i])).toEqual([]);
  });

  it.each(['bytes', 'protobuf', 'json', 'text'] as const)(
    'never fails itself, and is never without end: %s',
    (form) => {
      const target = aTarget(() => {}, form);
      const lengths = Array.from({ length: 2_000 }, (_, i) => caseOf(target, 3, i).length);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(1 << 20);
      expect(new Set(lengths).size).toBeGreaterThan(100);
    },
  );

  it('finds each of two defects, with the first input that shows it, and makes it short', async () => {
    const { ran, refused, found } = await runCases(planted, { seed: 1, first: 0, count: 4_000 });
    expect(ran).toBe(4_000);
    expect(refused.get('message.malformed')).toBeGreaterThan(500);
    const kinds = found.map(({ failure }) => failure.sign.split(' ')[0]);
    expect(kinds.sort()).toEqual(['RangeError', 'defect']);
    for (const { number, bytes, failure } of found) {
      expect(caseOf(planted, 1, number)).toEqual(bytes);
      const smallest = await shrink(planted, bytes, failure.sign);
      expect(smallest.length).toBeLessThan(30);
      expect(await judge(planted, smallest)).toMatchObject({ failure: { sign: failure.sign } });
    }
  });

  it('takes a code that is not promised for a failure', async () => {
    const target = aTarget(() => {
      throw new ShoalError('io.failed', 'said by nobody');
    });
    expect(await judge(target, sample)).toMatchObject({ kind: 'failed' });
  });

  it('sees that something of each input is kept', async () => {
    const kept: Uint8Array[] = [];
    const leaks = aTarget((bytes) => void kept.push(new Uint8Array(2_000).fill(bytes.length)));
    const before = await bytesInUse();
    await runCases(leaks, { seed: 1, first: 0, count: 5_000 });
    expect(isGrowth((await bytesInUse()) - before, kept.length)).toBe(true);
    const without = await bytesInUse();
    await runCases(planted, { seed: 1, first: 0, count: 5_000 });
    expect(isGrowth((await bytesInUse()) - without, 5_000)).toBe(false);
  });
});
