import { fromBase64Url, toBase64Url, utf8 } from '../bytes/index.ts';
import { type Identity, type ImportPeerKey, importPeerKey, type PeerId, roleOf } from '../identity/index.ts';

/** What a proof is for. It keeps the signature from being one over anything else, and a proof from being good on another kind of link. */
export type KeyProofContext = 'shoal-mqtt-v1' | 'shoal-coap-v1';

/** What a proof of key possession says, once its signature has been checked. */
export interface KeyProof {
  readonly peer: PeerId;
  /** Wall clock of the peer when it made the proof, ms since the Unix epoch. */
  readonly madeAtMs: number;
}

/**
 * What a peer shows to a server of links beside its id: `<ms since the epoch>.<public key>.<signature>`, the last two in base 64 url. It shows that the
 * peer holds the key its id is derived from; it names no server, and is worth something only as long as the server's window is open.
 */
export function makeKeyProof(context: KeyProofContext, identity: Identity, nowMs: number): string {
  const signature = identity.sign(signedBytes(context, identity.id, nowMs));
  return `${nowMs}.${toBase64Url(identity.publicKey)}.${toBase64Url(signature)}`;
}

/** Reads and checks what somebody shows who says that this is its id. `undefined` when it proves nothing. Never throws. */
export function readKeyProof(
  context: KeyProofContext,
  id: string,
  proof: string,
  importKey: ImportPeerKey = importPeerKey,
): KeyProof | undefined {
  const role = roleOf(id);
  const [time = '', key = '', signed = '', ...rest] = proof.length > 256 ? [] : proof.split('.');
  const publicKey = fromBase64Url(key);
  const signature = fromBase64Url(signed);
  if (!role || !/^[1-9]\d{0,15}$/.test(time) || publicKey?.length !== 32 || !signature || rest.length > 0)
    return undefined;
  const madeAtMs = Number(time);
  const peer = importKey(role, publicKey);
  if (peer.id !== id || !peer.verify(signedBytes(context, peer.id, madeAtMs), signature)) return undefined;
  return { peer: peer.id, madeAtMs };
}

function signedBytes(context: KeyProofContext, peer: PeerId, madeAtMs: number): Uint8Array {
  return utf8(`${context}\0${peer}\0${madeAtMs}`);
}
