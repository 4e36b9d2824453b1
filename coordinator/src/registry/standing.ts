import { ShoalError } from '@shoal/protocol';
import type { DeviceRecord } from '../domain/index.ts';

/** @throws `device.revoked` with why a device is refused for good. */
export function refuseRevoked({ revoked, pending, followedBy }: DeviceRecord): void {
  if (!revoked) return;
  const other = followedBy ? 'has a new key since, and is refused under this one' : 'was revoked';
  throw new ShoalError('device.revoked', `this device ${pending ? 'was rejected' : other}`);
}

/** @throws `device.pending` with what the device waits for. */
export function refusePending({ pending, name }: DeviceRecord): void {
  if (!pending) return;
  const advice = `shoal devices approve ${name}`;
  throw new ShoalError('device.pending', `this device waits for the approval of an operator: ${advice}`);
}

/** What a device measured, as far as others may be judged by it: nothing of one that does not belong to the fleet. */
export function believed({ pending, revoked, profiles }: DeviceRecord): DeviceRecord['profiles'] {
  return pending || revoked ? [] : profiles;
}
