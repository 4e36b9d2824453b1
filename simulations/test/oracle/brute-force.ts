import type { FleetDevice, FleetSnapshot } from '@shoal/coordinator';
import { place, shareOf } from '@shoal/coordinator';
import type { Instance } from '@shoal/simulations';

interface Outcome {
  readonly served: number;
  readonly cost: number;
}

/**
 * Every order of the works, every device and every choice for each, asked of the product itself: the device really takes the work, and `place` says what the
 * next one costs there.
 */
export function bruteForce({ fleet, devices, works, context }: Instance): Outcome {
  const { acceleratorsBusy } = fleet;
  const still: FleetSnapshot = { size: fleet.size, acceleratorsBusy, device: (id) => fleet.device(id), all: () => [] };
  const done = new Set<number>();
  let best: Outcome = { served: 0, cost: 0 };
  const goOn = (served: number, cost: number): void => {
    if (served > best.served || (served === best.served && cost < best.cost)) best = { served, cost };
    for (const [n, work] of works.entries()) {
      if (done.has(n)) continue;
      done.add(n);
      for (const device of devices) {
        const plan = place(still, { ...work, device: device.id }, context);
        if (plan.kind === 'unplaced') continue;
        for (const option of [plan.placement.chosen, ...plan.placement.others]) {
          const { running, backlog } = device;
          const share = shareOf(option, context.nowMs);
          device.take(share);
          goOn(served + 1, cost + option.cost.total);
          giveBack(device, share, running, backlog);
        }
      }
      done.delete(n);
    }
  };
  goOn(0, 0);
  return best;
}

/** As if it had never been taken: `drop` alone counts what the work drew as spent. */
function giveBack(
  device: FleetDevice,
  share: Parameters<FleetDevice['drop']>[0],
  running: number,
  backlog: FleetDevice['backlog'],
): void {
  device.drop(share);
  device.take({ time: { meanMs: 0, varianceMs2: 0 }, energyJ: -share.energyJ });
  device.running = running;
  device.backlog = backlog;
}
