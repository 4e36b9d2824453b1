import type { Device } from './types.ts';

/** How a device was at one moment; `undefined` for what it does not say. */
export interface Moment {
  readonly atMs: number;
  readonly batteryPct: number | undefined;
  readonly temperatureC: number | undefined;
  readonly loadPct: number | undefined;
}

/** When there are so many, each second one of them goes: what is long ago is kept coarsely. */
const mostMoments = 1_200;
const leastGapMs = 1_500;

let histories = $state.raw<ReadonlyMap<string, readonly Moment[]>>(new Map());

/** What each device said of itself while this page was open. The coordinator keeps no history of it. */
export function remember(devices: readonly Device[], atMs: number): void {
  histories = new Map(
    devices.map(({ id, telemetry }) => {
      const { batteryPct, temperatureC, cpuLoad } = telemetry ?? {};
      const loadPct = cpuLoad === undefined ? undefined : cpuLoad * 100;
      return [id, extended(histories.get(id) ?? [], { atMs, batteryPct, temperatureC, loadPct })];
    }),
  );
}

export function historyOf(device: string): readonly Moment[] {
  return histories.get(device) ?? [];
}

function extended(before: readonly Moment[], moment: Moment): readonly Moment[] {
  if (moment.atMs - (before.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) < leastGapMs) return before;
  const kept = before.length < mostMoments ? before : before.filter((_, i) => i % 2 === 0);
  return [...kept, moment];
}
