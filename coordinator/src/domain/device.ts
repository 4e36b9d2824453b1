import type { Capability, LinkKind, PeerId, Telemetry, VariantProfile } from '@shoal/protocol';

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
  /** What it says, and is told, can be read by nobody on the way. Left out: it can. */
  readonly sealed?: boolean;
  /** Joined with a token that asks for approval, and has none yet; `revoked` along with it: it was rejected. */
  readonly pending?: boolean;
  /** Under its former key it was another device: that one's id, and the envelope in which that key names this one's. */
  readonly follows?: { readonly device: PeerId; readonly proof: Uint8Array };
  /** It has a new key since, and this one is refused: the device that it is now. */
  readonly followedBy?: PeerId;
  readonly capability: Capability;
  readonly profiles: readonly VariantProfile[];
  /** What its owner allows of its battery. */
  readonly power?: PowerPolicy;
}

/** What the owner of a device allows of its battery, and when it is charged. */
export interface PowerPolicy {
  /** Work never takes the battery below this level, percent; the fleet's own floor when left out. */
  readonly floorPct?: number;
  /** Never works on its battery. */
  readonly mainsOnly?: boolean;
  /** Times of the day (UTC) at which it is charged, and with how much. Solar is a window of the day. */
  readonly charging?: readonly ChargingWindow[];
}

export interface ChargingWindow {
  /** Minutes since midnight, 0..1440. A window whose end is before its start goes over midnight. */
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly watts: number;
}

/** A device and what is known of it right now. */
export interface DeviceView extends DeviceRecord {
  /** `online`: heard of within its liveness timeout. `suspect`: the link said it is gone. `offline`: silent for too long. */
  readonly presence: 'online' | 'suspect' | 'offline';
  readonly lastSeenMs?: number;
  readonly telemetry?: Telemetry;
  /** Attempts that are with the device. */
  readonly running: number;
  /** The kinds of links that reach it now; and what was measured of them since the coordinator started. */
  readonly link: { readonly up: readonly LinkKind[]; readonly rttMs?: number; readonly bytesPerMs?: number };
}

/** What somebody hears who follows the fleet: all of it first, then each device that comes, changes or is put out. */
export type FleetNews =
  | { readonly kind: 'snapshot'; readonly devices: readonly DeviceView[] }
  | { readonly kind: 'joined' | 'changed' | 'left'; readonly device: DeviceView };

export interface TokenRecord {
  readonly id: string;
  /** 16 bytes; never shown again after creation, never logged. */
  readonly secret: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Devices that may still join with it. */
  readonly usesLeft: number;
  /** Who joins with it waits for the approval of an operator. */
  readonly approve: boolean;
  readonly labels: { readonly [name: string]: string };
}

/** A token without its secret. */
export type TokenView = Omit<TokenRecord, 'secret'>;
