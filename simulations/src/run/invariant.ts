import type { Life } from './life.ts';

/** A promise that can be checked. It yields what it finds broken, in words. */
export type Invariant = (life: Life) => Iterable<string>;
