import type { FleetDevice } from './fleet-device.ts';

/** Told what changes in the fleet. */
export interface FleetListener {
  /** The device can take work now, or more of it, or other work than before. */
  onAvailable(device: FleetDevice): void;
  /** What was with the device is lost: it was silent for too long, said goodbye or was revoked. */
  onGone(device: FleetDevice, reason: string): void;
}
