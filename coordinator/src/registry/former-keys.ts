import type { PeerId } from '@shoal/protocol';
import type { FleetDevice } from './fleet-device.ts';

type Find = (id: PeerId) => FleetDevice | undefined;

/** As what a device was known before it had the key that it has now, the latest first. */
export function* formerKeysOf(device: FleetDevice, find: Find): Generator<FleetDevice> {
  for (let id = device.record.follows?.device; id !== undefined; ) {
    const former = find(id);
    if (!former) return;
    yield former;
    id = former.record.follows?.device;
  }
}

/** Whether this is the id of the device, or was. */
export function isOrWas(device: FleetDevice, id: PeerId, find: Find): boolean {
  if (device.id === id) return true;
  for (const former of formerKeysOf(device, find)) if (former.id === id) return true;
  return false;
}
