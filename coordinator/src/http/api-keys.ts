import { timingSafeEqual } from 'node:crypto';
import { type Random, sha256, toBase64Url } from '@shoal/protocol';
import type { Coordinator } from '../domain/index.ts';

/** Checks the API key of a request. */
export interface KeyCheck {
  /** Whose key this is; `undefined` for one that is not known. */
  ownerOf(key: string): string | undefined;
  /** Whether that key is still good. */
  isGood(owner: string): boolean;
  /** Whether pictures of the camera may be sent with it. */
  acceptsFrom(key: string, camera: string): boolean;
}

const localKeyLength = 32;
const localOwner = 'local';

/** A key for the commands on this machine, good until the coordinator stops. */
export function newLocalKey(random: Random): string {
  return `shoal_local_${toBase64Url(random.bytes(localKeyLength))}`;
}

/** Knows the keys that the coordinator keeps and the local one, each compared in constant time. */
export function keyCheck(
  apiKeys: Pick<Coordinator['apiKeys'], 'verify' | 'list' | 'mayPush'>,
  localKey: string,
): KeyCheck {
  const localHash = sha256(localKey);
  const isLocal = (key: string) => timingSafeEqual(sha256(key), localHash);
  return {
    ownerOf: (key) => (isLocal(key) ? localOwner : apiKeys.verify(key)?.id),
    isGood: (owner) => owner === localOwner || apiKeys.list().some(({ id }) => id === owner),
    acceptsFrom: (key, camera) => isLocal(key) || apiKeys.mayPush(key, camera),
  };
}
