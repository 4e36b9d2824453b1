import type { DeviceSnapshot } from '../snapshot.ts';
import type { Strategy } from '../strategy.ts';
import { devicesOf, only } from './by-device.ts';

export const weighted: Strategy = {
  name: 'weighted',
  summary: 'any device, the quicker ones oftener: in proportion to what each can do in a second',
  because: 'it was drawn by lot, the quicker ones oftener',
  scores(candidates, { random }) {
    const perSecond = new Map<DeviceSnapshot, number>();
    for (const { device, runMs } of candidates) {
      const rate = device.slots / Math.max(0.001, runMs);
      perSecond.set(device, Math.max(rate, perSecond.get(device) ?? 0));
    }
    let left = random.next() * [...perSecond.values()].reduce((sum, rate) => sum + rate, 0);
    const chosen = devicesOf(candidates).find((device) => {
      left -= perSecond.get(device) ?? 0;
      return left < 0;
    });
    return only(chosen ?? candidates.at(-1)?.device, candidates);
  },
};
