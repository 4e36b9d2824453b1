import type { Candidate } from '../candidate.ts';
import type { DeviceSnapshot } from '../snapshot.ts';

/** The devices among the candidates, in their order. */
export function devicesOf(candidates: readonly Candidate[]): readonly DeviceSnapshot[] {
  const devices: DeviceSnapshot[] = [];
  for (const { device } of candidates) if (devices.at(-1) !== device) devices.push(device);
  return devices;
}

/** Scores that take one device, whatever it runs. */
export function only(device: DeviceSnapshot | undefined, candidates: readonly Candidate[]): readonly number[] {
  return candidates.map((candidate) => (candidate.device === device ? 0 : Number.POSITIVE_INFINITY));
}

/** The device for which the figure is least; of equals the first. */
export function least(
  devices: readonly DeviceSnapshot[],
  figureOf: (device: DeviceSnapshot) => number,
): DeviceSnapshot | undefined {
  let best: DeviceSnapshot | undefined;
  let bestFigure = Number.POSITIVE_INFINITY;
  for (const device of devices) {
    const figure = figureOf(device);
    if (figure < bestFigure || best === undefined) {
      best = device;
      bestFigure = figure;
    }
  }
  return best;
}
