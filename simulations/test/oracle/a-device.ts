import { type DeviceSnapshot, exactly, type Figures, type Menu, type Options, optionsOf } from '@shoal/coordinator';

/** What each model takes on a device, by its name: ms, and joules. */
export type Runs = Readonly<Record<string, readonly [ms: number, joules: number]>>;

/** A device with all of its models in memory, that has measured what they take, on the mains unless it is said otherwise. */
export function aDevice(id: string, runs: Runs, change: Partial<DeviceSnapshot> = {}): DeviceSnapshot {
  const figures = (key: string): Figures => {
    const [ms, joules] = runs[key.split('/')[0] ?? ''] ?? [];
    const run = ms === undefined ? undefined : exactly(ms);
    return { run, energyJ: joules, loadMs: undefined, loadedUntilMs: Number.POSITIVE_INFINITY };
  };
  const device = {
    id,
    name: id,
    kind: 'board',
    likeness: id,
    presence: 'online' as const,
    draining: false,
    labels: {},
    power: { onBattery: false, levelPct: undefined, capacityJ: undefined, idleWatts: 2, policy: {} },
    hasEngine: true,
    accelerated: false,
    freeBytes: 4e9,
    slots: 1,
    running: 0,
    backlog: exactly(0),
    committedJ: 0,
    placed: 0,
    cameraLoad: 0,
    cameraWatts: 0,
    decode: { capacity: 1, taken: 0, factor: 1 },
    heat: undefined,
    pause: undefined,
    bytesPerMs: 10_000,
    rttMs: 0,
    decodeMs: 0,
    figures,
    options: (menu: Menu): Options => optionsOf(device, menu),
    ...change,
  };
  return device;
}
