import type { FuzzTarget } from '@shoal/protocol/testing';
import { judge } from './judge.ts';

/** Tries that a shrink may take. */
const mostTries = 3_000;

/** The shortest of the inputs like this one that was found to fail in the same way. */
export async function shrink(target: FuzzTarget, bytes: Uint8Array, sign: string): Promise<Uint8Array> {
  let tries = 0;
  const fails = async (candidate: Uint8Array) => {
    tries += 1;
    const verdict = await judge(target, candidate);
    return verdict.kind === 'failed' && verdict.failure.sign === sign;
  };
  let smallest = bytes;
  for (let piece = Math.ceil(bytes.length / 2); piece >= 1 && tries < mostTries; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < smallest.length && tries < mostTries; ) {
      const candidate = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + piece)]);
      if (await fails(candidate)) smallest = candidate;
      else at += piece;
    }
  }
  return smallest;
}
