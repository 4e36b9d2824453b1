import { equalBytes, utf8 } from '../bytes/index.ts';
import { openEnvelope, type SealOptions, sealEnvelope } from '../envelope/index.ts';
import { ShoalError } from '../errors/index.ts';
import { type Identity, type PeerId, type PeerKey, signatureAlgorithm } from '../identity/index.ts';
import { payloadOf } from '../messages/index.ts';

/**
 * A device that takes a new key is another device from then on: its id is the key's. That it is the same machine, the two keys say of each other. The
 * old one does so in an envelope like any other, for this coordinator and with a sequence of its own: once the old key has said anything later, this
 * is not believed any more.
 * @param options as of {@link sealEnvelope}; the recipient is the coordinator
 */
export function sealSuccession(
  from: Identity,
  to: Identity,
  options: Pick<SealOptions, 'recipient' | 'sequence' | 'sentAtMs'>,
): Uint8Array {
  const succession = {
    algorithm: signatureAlgorithm,
    publicKey: to.publicKey,
    signature: to.sign(consentBytes(from.id, options.recipient)),
  };
  return sealEnvelope(from, { ...options, messages: [{ succession }] });
}

export interface SuccessionOptions {
  /** Who it was said to. */
  readonly coordinator: PeerId;
  /** Who says hello with it. */
  readonly successor: PeerKey;
  keyOf(device: PeerId): PeerKey | undefined;
  /** Highest sequence accepted from a device so far. */
  lastSequence(device: PeerId): number;
}

/**
 * Whose place the successor takes.
 * @throws what `openEnvelope` throws: `device.unknown` when the old key is not known, `message.replayed` when it has said something since;
 * `message.signature` when one of the keys does not mean the other.
 */
export function openSuccession(sealed: Uint8Array, options: SuccessionOptions): PeerId {
  const { coordinator, successor, keyOf, lastSequence } = options;
  const { sender, messages } = openEnvelope(sealed, { recipient: coordinator, keyOf, lastSequence });
  const payload = messages.length === 1 && messages[0] ? payloadOf(messages[0]) : undefined;
  if (payload?.kind !== 'succession')
    throw new ShoalError('message.malformed', 'the old key speaks of something else than a new one');
  const { algorithm, publicKey, signature } = payload.value;
  const named = algorithm === signatureAlgorithm && equalBytes(publicKey, successor.publicKey);
  if (!named || !successor.verify(consentBytes(sender.id, coordinator), signature)) {
    throw new ShoalError('message.signature', 'the old key and the new one do not mean each other', {
      sender: sender.id,
    });
  }
  return sender.id;
}

function consentBytes(from: PeerId, coordinator: PeerId): Uint8Array {
  return utf8(`shoal-succession-v1\0${from}\0${coordinator}`);
}
