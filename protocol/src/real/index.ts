/** What touches the world: the door that only `main.ts` and `ports.ts` of a process go through. */
export * from '../identity/real/index.ts';
export * from '../runtime/real/index.ts';
