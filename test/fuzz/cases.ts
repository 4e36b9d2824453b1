import type { FuzzTarget } from '@shoal/protocol/testing';
import { Dice } from './dice.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateProtobuf } from './mutate-protobuf.ts';
import { mutateText } from './mutate-text.ts';

/** No input is longer: a frame is at most 1 MiB, and what only takes long tells nothing. */
const longestCase = 1 << 20;

/** Changes that know the form of the bytes; where they do not find it, the others are used. */
const byForm = { bytes: mutateBytes, protobuf: mutateProtobuf, json: mutateJson, text: mutateText };

/** One input of many: the same for the same target, seed and number, whatever was tried before. One in ten is random, the others are genuine ones, changed. */
export function caseOf(target: FuzzTarget, seed: number, number: number): Uint8Array {
  const dice = new Dice(seedOf(target.name, seed, number));
  if (dice.oneIn(10) || target.samples.length === 0) return dice.bytes(dice.length());
  let bytes = dice.pick(target.samples);
  for (let changes = 1 + dice.below(dice.oneIn(4) ? 8 : 2); changes > 0; changes--) {
    const other = dice.pick(target.samples);
    const knowing = dice.below(4) > 0 ? byForm[target.form](bytes, dice, other) : undefined;
    bytes = (knowing ?? mutateBytes(bytes, dice, other)).subarray(0, longestCase);
  }
  return bytes;
}

/** FNV-1a over the name, mixed with the numbers: neighbours have nothing in common. */
function seedOf(name: string, seed: number, number: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x0100_0193);
  hash = Math.imul(hash ^ seed, 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ number, 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
