import { coresOf } from '../placement/index.ts';
import type { FleetDevice } from '../registry/index.ts';
import type { LiveCamera } from './live-camera.ts';

/** One device decodes at most so many times as slowly, or quickly, as is assumed. */
const slowest = 20;
const quickest = 0.1;
/** How much one look weighs in what is remembered of cameras that are decoded in full. */
const newestWeight = 0.2;
/** And how much of it is forgotten at a look when there are none: half of it in three quarters of an hour. */
const forgotten = 0.0005;

/** How much longer decoding takes on a device than is assumed; 1: nothing is known. */
export class DecodeFactors {
  /** By cameras that are decoded in full: only of them it is known what was decoded. */
  readonly #inFull = new WeakMap<FleetDevice, number>();

  /** At each look, so that it goes by time and not by how much happens. */
  learn(device: FleetDevice, there: readonly LiveCamera[]): void {
    const before = this.#inFull.get(device);
    const seen = measured(device, there, 'full only');
    if (seen !== undefined) this.#inFull.set(device, before === undefined ? seen : mixed(before, seen, newestWeight));
    else if (before !== undefined) this.#inFull.set(device, mixed(before, 1, forgotten));
  }

  /**
   * Of all cameras that the device has measured; and not less than was found while some were decoded in full: to decode less takes less than is assumed,
   * or more, as the source happens to be, and they would be raised to what the device cannot do, over and over.
   */
  of(device: FleetDevice, there: readonly LiveCamera[]): number {
    const inFull = this.#inFull.get(device);
    const now = measured(device, there, 'all') ?? inFull ?? 1;
    return Math.min(slowest, Math.max(quickest, now, inFull ?? 0));
  }
}

function measured(
  { telemetry }: FleetDevice,
  there: readonly LiveCamera[],
  which: 'all' | 'full only',
): number | undefined {
  let taken = 0;
  let assumed = 0;
  for (const { cameraId, decode, decodeCores } of telemetry?.cameras ?? []) {
    const live = there.find(({ camera }) => camera.id === cameraId);
    if (!live || decodeCores <= 0 || live.camera.grant?.decode !== decode) continue;
    if (which === 'full only' && decode !== 'full') continue;
    taken += decodeCores;
    assumed += coresOf(live.camera.grant.decode, live.footage);
  }
  return assumed > 0 ? taken / assumed : undefined;
}

function mixed(before: number, newest: number, weight: number): number {
  return before + weight * (newest - before);
}
