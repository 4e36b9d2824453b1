import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Fleet } from './fleet.ts';
import { parseFleet } from './parse-fleet.ts';

/** Fleets that placement has goals on. */
export const goalFleets = ['home', 'shop', 'city'] as const;
export type GoalFleet = (typeof goalFleets)[number];

/** Fleets that come with Shoal. */
export const shippedFleets = [...goalFleets, 'site'] as const;
type ShippedFleet = (typeof shippedFleets)[number];

/** Where the file of a fleet that comes with Shoal is. */
export function shippedFleetPath(name: ShippedFleet): string {
  // In a bundle the folder is one up, in the sources and in what tsc built of them two.
  const paths = ['../', '../../'].map((up) => fileURLToPath(new URL(`${up}fleets/${name}.yaml`, import.meta.url)));
  return paths.find((path) => existsSync(path)) ?? (paths[0] as string);
}

/** @param readFile the text of the file at a path */
export async function readGoalFleets(readFile: (path: string) => Promise<string>): Promise<Record<GoalFleet, Fleet>> {
  const read = async (name: GoalFleet) => parseFleet(await readFile(shippedFleetPath(name)));
  return { home: await read('home'), shop: await read('shop'), city: await read('city') };
}
