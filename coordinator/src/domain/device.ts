import type { Capability, PeerId, Telemetry, VariantProfile } from '@shoal/protocol';

/** A member of the fleet, as it is recorded. */
export interface DeviceRecord {
  readonly id: PeerId;
  readonly publicKey: Uint8Array;
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly joinedAtMs: number;
  readonly tokenId: string;
  readonly draining: boolean;
  readonly revoked: boolean;
  readonly capability: Capability;
  readonly profiles: readonly VariantProfile[];
}

/** A device and what is known of it right now. */
export interface DeviceView extends DeviceRecord {
  /** `online`: heard of within its liveness timeout. `suspect`: the link said it is gone. `offline`: silent for too long. */
  readonly presence: 'online' | 'suspect' | 'offline';
  readonly lastSeenMs?: number;
  readonly telemetry?: Telemetry;
  /** Attempts that are with the device. */
  readonly running: number;
}

export interface TokenRecord {
  readonly id: string;
  /** 16 bytes; never shown again after creation, never logged. */
  readonly secret: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Devices that may still join with it. */
  readonly usesLeft: number;
  readonly labels: { readonly [name: string]: string };
}

/** A token without its secret. */
export type TokenView = Omit<TokenRecord, 'secret'>;
