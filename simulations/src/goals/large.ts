import { CoarseWorld } from '../coarse/index.ts';
import { type Fleet, links } from '../fleet/index.ts';
import type { Goal } from './goal.ts';

const devices = 100_000;
/** 3,333 messages a second. */
const telemetryMs = 30_000;
const virtualMs = 60_000;

/** A fleet of a hundred thousand: half of it on batteries, a thousand pictures a second. */
const fleet: Fleet = {
  name: 'large',
  title: 'a hundred thousand devices',
  devices: [
    { class: 'pi-4', count: 0.4 * devices, labels: {}, link: links.lte, battery: battery(60) },
    { class: 'pi-5', count: 0.3 * devices, labels: {}, link: links.ethernet },
    { class: 'phone-npu', count: 0.2 * devices, labels: {}, link: links.lte, battery: battery(10.7) },
    { class: 'orin-nano', count: 0.02 * devices, labels: {}, link: links.ethernet },
    { class: 'pi-5-hailo', count: 0.05 * devices, labels: {}, link: links.ethernet },
    { class: 'n100', count: 0.03 * devices, labels: {}, link: links.ethernet },
  ],
  cameras: [],
  workloads: [
    {
      name: 'pictures',
      perSecond: 1_000,
      deadlineMs: 1_000,
      inputBytes: 60_000,
      objects: { few: 0.6, some: 0.3, many: 0.1 },
      accuracyLoss: 1,
    },
  ],
};

/** How fast the coarse world is. */
export const large: Goal = {
  name: 'large',
  title: `${devices.toLocaleString('en')} coarse devices that report every 30 s, 1,000 pictures a second: against real time`,
  find({ say, cpuMs }) {
    const startedMs = cpuMs();
    const world = new CoarseWorld({ fleet, seed: 1, strategy: 'cost', telemetryMs });
    say(`made in ${((cpuMs() - startedMs) / 1_000).toFixed(1)} s of processor time`);
    // Code is compiled and every device has reported once.
    world.run(telemetryMs);
    const beforeMs = cpuMs();
    world.run(virtualMs);
    const factor = virtualMs / (cpuMs() - beforeMs);
    say(
      `${world.tally.finished.toLocaleString('en')} pictures done, ${(100 * world.tally.missed).toFixed(2)} % missed`,
    );
    return [
      {
        name: `${devices.toLocaleString('en')} devices, virtual time over processor time`,
        value: factor,
        unit: 'x',
        limit: { atLeast: 20 },
      },
    ];
  },
};

function battery(wattHours: number) {
  return { wattHours, levelPct: 80, spreadPct: 10, floorPct: 30, charging: [] };
}
