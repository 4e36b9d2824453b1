import { utf8 } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import { type Identity, type PeerId, type PeerKey, signatureAlgorithm } from '../identity/index.ts';
import { FleetMembership, MembershipStatement } from '../messages/index.ts';

/** The coordinator's word that a device belongs to its fleet until then (its clock, ms): for the device, to show to others. */
export function sealMembership(coordinator: Identity, deviceId: PeerId, expiresAtMs: number): Uint8Array {
  const statement = MembershipStatement.encode({ deviceId, expiresAtMs });
  return FleetMembership.encode({
    statement,
    signature: coordinator.sign(signedBytes(statement)),
    algorithm: signatureAlgorithm,
  });
}

/**
 * Until when a device belongs to the fleet, as its coordinator says, ms.
 * @param device who shows it, as the transport has authenticated
 * @throws `device.unknown` when it is no such word, or is about another device
 */
export function openMembership(
  membership: Uint8Array,
  { coordinator, device }: { readonly coordinator: PeerKey; readonly device: PeerId },
): number {
  try {
    const { statement, signature, algorithm } = FleetMembership.decode(membership);
    const isSigned = algorithm === signatureAlgorithm && coordinator.verify(signedBytes(statement), signature);
    const { deviceId, expiresAtMs } = MembershipStatement.decode(statement);
    if (isSigned && deviceId === device) return expiresAtMs;
  } catch (cause) {
    throw stranger(device, cause);
  }
  throw stranger(device);
}

function stranger(device: PeerId, cause?: unknown): ShoalError {
  const message = `${device} does not show that it belongs to this fleet: it has not joined this coordinator`;
  return new ShoalError('device.unknown', message, { device }, { cause });
}

function signedBytes(statement: Uint8Array): Uint8Array {
  return Buffer.concat([utf8('shoal-membership-v1\0'), statement]);
}
