import { fileURLToPath } from 'node:url';

/** Fleets that placement has goals on. */
export const goalFleets = ['home', 'shop', 'city'] as const;
export type GoalFleet = (typeof goalFleets)[number];

/** Fleets that come with Shoal. */
export const shippedFleets = [...goalFleets, 'site'] as const;
type ShippedFleet = (typeof shippedFleets)[number];

/** Where the file of a fleet that comes with Shoal is. */
export function shippedFleetPath(name: ShippedFleet): string {
  return fileURLToPath(new URL(`../../fleets/${name}.yaml`, import.meta.url));
}
