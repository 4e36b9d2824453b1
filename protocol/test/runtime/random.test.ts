import { newId, type Random, seededRandom } from '@shoal/protocol';
import { systemRandom } from '@shoal/protocol/real';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

describe('a seeded generator', () => {
  test('gives the same on every machine, for ever: a trace is replayed from its seed', () => {
    const random = seededRandom(42);
    const first = [random.next(), random.next(), random.next()].map((value) => Math.trunc(value * 0x1_0000_0000));
    expect({ first, bytes: [...random.bytes(6)] }).toMatchInlineSnapshot(`
      {
        "bytes": [
          211,
          24,
          80,
          196,
          227,
          129,
        ],
        "first": [
          1249818524,
          1457630629,
          651278614,
        ],
      }
    `);
  });

  test('gives something else for another seed', () => {
    const firsts = new Set(Array.from({ length: 1_000 }, (_, seed) => seededRandom(seed).next()));
    expect(firsts.size).toBe(1_000);
  });
});

describe.each<[string, Random]>([
  ['the seeded generator', seededRandom(7)],
  ['the system source', systemRandom],
])('%s', (_name, random) => {
  test('is uniform in [0, 1)', () => {
    const tenths = new Array<number>(10).fill(0);
    for (let i = 0; i < 20_000; i++) {
      const value = random.next();
      if (!(value >= 0 && value < 1)) expect.fail(`${value} is not in [0, 1)`);
      const tenth = Math.floor(value * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    // 2,000 each; ten standard deviations (424) off would be no accident.
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(424);
  });

  test('gives as many bytes as asked for, of every value', () => {
    expect(random.bytes(0)).toHaveLength(0);
    expect(random.bytes(33)).toHaveLength(33);
    expect(new Set(random.bytes(10_000)).size).toBe(256);
  });
});

describe('the system source', () => {
  test('gives no byte twice, and nothing of it changes once it is given: what is fetched ahead is not shared', () => {
    const given = Array.from({ length: 1_000 }, () => systemRandom.bytes(16));
    const asGiven = given.map((bytes) => Buffer.from(bytes).toString('hex'));
    systemRandom.bytes(5_000);
    for (let i = 0; i < 1_000; i++) systemRandom.next();
    expect(new Set(asGiven).size).toBe(1_000);
    expect(given.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(asGiven);
  });
});

describe('an id', () => {
  const atAnyTime = fc.integer({ min: 0, max: 32 ** 9 - 1 });

  test('names its kind, and is 25 characters that survive a URL, a file name and being read aloud', () => {
    expect(newId('task', Date.UTC(2026, 0, 1), seededRandom(1))).toMatch(/^task_[0-9a-hjkmnp-tv-z]{25}$/);
  });

  test('that was made later sorts later', () => {
    fc.assert(
      fc.property(atAnyTime, atAnyTime, fc.integer(), (one, other, seed) => {
        fc.pre(one !== other);
        const random = seededRandom(seed);
        const [a, b] = [newId('t', one, random), newId('t', other, random)];
        expect(a < b).toBe(one < other);
      }),
    );
  });

  test('that was made in the same millisecond differs', () => {
    const ids = new Set(Array.from({ length: 10_000 }, () => newId('t', 1, systemRandom)));
    expect(ids.size).toBe(10_000);
  });
});
