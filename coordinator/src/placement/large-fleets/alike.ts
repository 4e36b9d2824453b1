import type { Random } from '@shoal/protocol';
import type { DeviceSnapshot } from '../snapshot.ts';

/** What makes a device promising changes with every attempt. How long work would wait there is told apart in so many steps, each a factor. */
const stepFactor = Math.log(1.33);
/** Steps fit the bits of a number. The first: a slot is free. */
const firstWait = 1;
const longestWait = 30;
export const takesNothing = 31;
export const steps = 32;

/** Where a device stands among those like it. */
export interface Stand {
  group: Alike | undefined;
  step: number;
  index: number;
}

/** Devices that are alike, by how long work would wait there: of them, only the least busy matter. */
export class Alike {
  readonly likeness: string;
  /** The step of those who make work wait least. */
  least = takesNothing;
  #size = 0;
  /** A bit for each step at which somebody stands. */
  #taken = 0;
  readonly #steps: { readonly devices: DeviceSnapshot[]; readonly stands: Stand[] }[] = [];

  constructor(likeness: string) {
    this.likeness = likeness;
  }

  get size(): number {
    return this.#size;
  }

  add(device: DeviceSnapshot, stand: Stand, step: number): void {
    this.#steps[step] ??= { devices: [], stands: [] };
    const { devices, stands } = this.#steps[step];
    stand.group = this;
    stand.step = step;
    stand.index = devices.push(device) - 1;
    stands.push(stand);
    this.#taken |= 1 << step;
    this.#size += 1;
    if (step < this.least) this.least = step;
  }

  remove(stand: Stand): void {
    const step = this.#steps[stand.step];
    const [device, last] = [step?.devices.pop(), step?.stands.pop()];
    if (!step || !device || !last) return;
    if (last !== stand) {
      step.devices[stand.index] = device;
      step.stands[stand.index] = last;
      last.index = stand.index;
    }
    if (step.devices.length === 0) {
      this.#taken &= ~(1 << stand.step);
      this.least = this.#taken === 0 ? takesNothing : 31 - Math.clz32(this.#taken & -this.#taken);
    }
    this.#size -= 1;
    stand.group = undefined;
  }

  /** Shows so many of those at the step; not always the first ones, so that not everybody takes the same. Returns how many. */
  some(step: number, most: number, random: Random, look: (device: DeviceSnapshot) => void): number {
    const devices = this.at(step);
    const count = Math.min(most, devices.length);
    const from = devices.length > count ? Math.floor(random.next() * devices.length) : 0;
    for (let i = 0; i < count; i++) look(devices[(from + i) % devices.length] as DeviceSnapshot);
    return count;
  }

  any(): DeviceSnapshot | undefined {
    return this.at(this.least)[0];
  }

  at(step: number): readonly DeviceSnapshot[] {
    return this.#steps[step]?.devices ?? nobody;
  }
}

const nobody: readonly DeviceSnapshot[] = [];

/** The step at which a device stands. */
export function stepOf({ running, slots, backlog, presence, draining, pause }: DeviceSnapshot): number {
  if (presence !== 'online' || draining || pause) return takesNothing;
  if (running < slots) return 0;
  const waitMs = backlog.meanMs / slots;
  if (waitMs < 1) return firstWait;
  return Math.min(longestWait, firstWait + 1 + Math.floor(Math.log(waitMs) / stepFactor));
}

/** What work waits at the step, in its middle, ms. */
export function typicalWaitMs(step: number): number {
  if (step === 0) return 0;
  return step === firstWait ? 0.5 : Math.exp((step - firstWait - 0.5) * stepFactor);
}
