import { strategies, strategyNamed } from '@shoal/coordinator';
import { ShoalError } from '@shoal/protocol';
import { type Fleet, parseFleet, shippedFleetPath, shippedFleets } from '../fleet/index.ts';
import type { Terminal } from './terminal.ts';

export const fleetArgument = `a fleet file, or ${shippedFleets.join(', ')}`;

/** The file of that name, or the fleet that comes with Shoal. @throws `not-found`, `input.invalid`. */
export async function readFleet(nameOrPath: string, terminal: Terminal): Promise<Fleet> {
  const shipped = shippedFleets.find((name) => name === nameOrPath);
  const path = shipped ? shippedFleetPath(shipped) : nameOrPath;
  let text: string;
  try {
    text = await terminal.readFile(path);
  } catch (cause) {
    const known = shippedFleets.join(', ');
    throw new ShoalError(
      'not-found',
      `there is no fleet file ${nameOrPath}; those that come with Shoal are ${known}`,
      {},
      { cause },
    );
  }
  return parseFleet(text);
}

/** `all`, or names with commas between. @throws `input.invalid` with the names there are. */
export function readStrategies(text: string): readonly string[] {
  const names = text === 'all' ? strategies.map(({ name }) => name) : text.split(',').map((name) => name.trim());
  return names.map((name) => strategyNamed(name).name);
}

/** A number option. @throws `input.invalid` */
export function readNumber(name: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= most) return value;
    throw new ShoalError(
      'input.invalid',
      `${name} must be a number from ${least} to ${most}; it is ${JSON.stringify(text)}`,
    );
  };
}

export function readWhole(name: string, least: number, most: number): (text: string) => number {
  const read = readNumber(name, least, most);
  return (text) => {
    const value = read(text);
    if (Number.isInteger(value)) return value;
    throw new ShoalError('input.invalid', `${name} must be a whole number; it is ${text}`);
  };
}

export const caveat =
  'What devices take and draw was derived from published measurements, and in part assumed: good for comparing, not for bills.';
