import { randomRun } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';
import { planted } from './planted-defects.ts';

/** Seeds within which each of them is found. */
const within = 40;
/** A life takes half a second of a processor, which may have other things to do. */
const patienceMs = 180_000;

describe('a random life of a fleet finds out', () => {
  it.for(Object.entries(planted))(
    `within ${within} seeds when %s`,
    { timeout: patienceMs },
    async ([, { parts, shows }]) => {
      for (let seed = 1; seed <= within; seed++) {
        const { broken } = await randomRun(seed, parts());
        if (broken.some((promise) => shows.test(promise))) return;
      }
      expect.fail('it was not found');
    },
  );
});
