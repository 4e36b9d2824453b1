import type { DeviceRecord } from '../domain/index.ts';
import type { Duration } from '../placement/index.ts';
import { fromQuantiles } from '../placement/index.ts';

/** Devices that must have measured before others are judged by them. */
const enoughDevices = 3;

interface Sum {
  devices: number;
  logP50: number;
  logP95: number;
}

/** What devices of a kind measured, on the average of factors: what is expected of one that has not, and what is unbelievable of one that has. */
export class KindPriors {
  readonly #sums = new Map<string, Sum>();

  find(kind: string, model: string, variant: string): Duration | undefined {
    const sum = this.#sums.get(`${kind} ${model}/${variant}`);
    if (!sum || sum.devices < enoughDevices) return undefined;
    return fromQuantiles(Math.exp(sum.logP50 / sum.devices), Math.exp(sum.logP95 / sum.devices));
  }

  /** Takes in what a device of the kind measured, or with -1 out again. */
  count(kind: string, profiles: DeviceRecord['profiles'], sign: 1 | -1): void {
    for (const { model, variant, p50Ms, p95Ms } of profiles) {
      if (!(p50Ms > 0)) continue;
      const key = `${kind} ${model}/${variant}`;
      const sum = this.#sums.get(key) ?? { devices: 0, logP50: 0, logP95: 0 };
      sum.devices += sign;
      sum.logP50 += sign * Math.log(p50Ms);
      sum.logP95 += sign * Math.log(Math.max(p50Ms, p95Ms));
      if (sum.devices > 0) this.#sums.set(key, sum);
      else this.#sums.delete(key);
    }
  }
}
