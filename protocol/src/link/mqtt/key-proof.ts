import { fromBase64Url, toBase64Url, utf8 } from '../../bytes/index.ts';
import { type Identity, importPeerKey, type PeerId, roleOf } from '../../identity/index.ts';

/** Keeps this signature from being a signature over anything else. */
const context = 'shoal-mqtt-v1';

/** What a proof of key possession says, once its signature has been checked. */
export interface KeyProof {
  readonly peer: PeerId;
  /** Wall clock of the peer when it made the proof, ms since the Unix epoch. */
  readonly madeAtMs: number;
}

/**
 * The MQTT password of a peer whose user name is its id: `<ms since the epoch>.<public key>.<signature>`, the last two in base 64 url. It shows
 * that the peer holds the key its id is derived from; it names no broker, and is worth something only as long as the broker's window is open.
 */
export function makeKeyProof(identity: Identity, nowMs: number): string {
  const signature = identity.sign(signedBytes(identity.id, nowMs));
  return `${nowMs}.${toBase64Url(identity.publicKey)}.${toBase64Url(signature)}`;
}

/** Reads and checks a user name and password. `undefined` when they prove nothing. Never throws. */
export function readKeyProof(username: string, password: string): KeyProof | undefined {
  const role = roleOf(username);
  const [time = '', key = '', signed = '', ...rest] = password.length > 256 ? [] : password.split('.');
  const publicKey = fromBase64Url(key);
  const signature = fromBase64Url(signed);
  if (!role || !/^[1-9]\d{0,15}$/.test(time) || publicKey?.length !== 32 || !signature || rest.length > 0)
    return undefined;
  const madeAtMs = Number(time);
  const peer = importPeerKey(role, publicKey);
  if (peer.id !== username || !peer.verify(signedBytes(peer.id, madeAtMs), signature)) return undefined;
  return { peer: peer.id, madeAtMs };
}

function signedBytes(peer: PeerId, madeAtMs: number): Uint8Array {
  return utf8(`${context}\0${peer}\0${madeAtMs}`);
}
