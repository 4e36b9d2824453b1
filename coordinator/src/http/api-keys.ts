import { timingSafeEqual } from 'node:crypto';
import { type Random, sha256, toBase64Url } from '@shoal/protocol';
import type { Coordinator } from '../domain/index.ts';

/** Checks the API key of a request. */
export interface KeyCheck {
  accepts(key: string): boolean;
}

const localKeyLength = 32;

/** A key for the commands on this machine, good until the coordinator stops. */
export function newLocalKey(random: Random): string {
  return `shoal_local_${toBase64Url(random.bytes(localKeyLength))}`;
}

/** Accepts the keys that the coordinator keeps and the local one, each compared in constant time. */
export function keyCheck(apiKeys: Pick<Coordinator['apiKeys'], 'verify'>, localKey: string): KeyCheck {
  const localHash = sha256(localKey);
  return { accepts: (key) => timingSafeEqual(sha256(key), localHash) || apiKeys.verify(key) !== undefined };
}
