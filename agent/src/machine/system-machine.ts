import type { CapabilityInit, Clock } from '@shoal/protocol';
import {
  type Accelerator,
  busyShare,
  type Capability,
  type EnergyRail,
  type EnergySample,
  energyBetweenMj,
  type HardwareTelemetry,
  type Load,
  measurableRails,
  probeCapability,
  readEnergy,
  readTelemetry,
  type SystemReader,
} from '../hardware/index.ts';
import type { Condition, Machine } from './machine.ts';

interface Deps {
  readonly reader: SystemReader;
  readonly clock: Clock;
}

interface Options {
  /** Name that the device gives itself. */
  readonly hostName: string;
  readonly dataFolder: string;
  readonly software: string;
}

/** Between two looks at a rail that tells power rather than energy, ms. */
const powerSampleMs = 100;

/** The machine that a `SystemReader` reads. */
export function createSystemMachine({ reader, clock }: Deps, options: Options): Machine {
  let probed: Promise<Capability> | undefined;
  let lastLoad: Load = {};
  const probe = (signal: AbortSignal) => {
    probed ??= probeCapability(reader, signal, { dataFolder: options.dataFolder }).catch((error: unknown) => {
      probed = undefined;
      throw error;
    });
    return probed;
  };
  return {
    async capability(signal) {
      return toMessage(await probe(signal), options);
    },
    async condition(signal) {
      const telemetry = await readTelemetry(reader, signal);
      const cpuLoad = busyShare(lastLoad, telemetry.load);
      lastLoad = telemetry.load;
      return toCondition(telemetry, cpuLoad, reader.host().cores);
    },
    async measureEnergy(signal) {
      const rails = measurableRails((await probe(signal)).rails);
      return meter({ reader, clock }, rails);
    },
    async residentBytes() {
      // proc_pid_status(5); kB are KiB there.
      const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec((await reader.readText('/proc/self/status')) ?? '') ?? [];
      return kib === undefined ? undefined : Number(kib) * 1024;
    },
  };
}

function toMessage(found: Capability, options: Options): CapabilityInit {
  const { cpu, board, memory, power, os, disk } = found;
  return {
    hostName: options.hostName,
    software: options.software,
    platform: os.platform,
    arch: cpu.arch,
    board: [board.model, board.firmware].filter(Boolean).join(', '),
    cpuModel: cpu.model ?? '',
    cores: Math.max(1, Math.round(cpu.usableCores)),
    cpuFeatures: cpu.features,
    memoryBytes: memory.usableBytes,
    diskFreeBytes: disk?.freeBytes ?? 0,
    accelerators: found.accelerators.map(({ kind, family, model, memoryBytes }) => ({
      kind: kindNames[kind],
      vendor: family,
      name: model,
      memoryBytes: memoryBytes ?? 0,
    })),
    powerSource: power.source,
    hasBattery: power.hasBattery,
    ...(power.capacityMj !== undefined && { batteryWh: power.capacityMj / millijoulesPerWattHour }),
    container: found.container !== undefined,
    phone: board.kind === 'phone',
  };
}

/** 1 Wh is 3,600 J. */
const millijoulesPerWattHour = 3.6e6;

const kindNames: Readonly<Record<Accelerator['kind'], string>> = {
  gpu: 'gpu',
  npu: 'npu',
  tpu: 'tpu',
  video: 'video-decoder',
};

function toCondition(telemetry: HardwareTelemetry, busy: number | undefined, cores: number): Condition {
  const { battery, temperatureC, throttling, load } = telemetry;
  return {
    ...(battery?.levelPct !== undefined && { batteryPct: battery.levelPct, charging: battery.charging }),
    ...(temperatureC !== undefined && { temperatureC }),
    ...(throttling.active !== undefined && { throttled: throttling.active }),
    cpuLoad: busy ?? Math.min(1, (load.average1m ?? 0) / cores),
    memoryAvailableBytes: load.memoryAvailableBytes ?? 0,
  };
}

/** Counters are read at both ends; power is sampled in between. */
async function meter(
  { reader, clock }: Deps,
  rails: readonly EnergyRail[],
): Promise<() => Promise<number | undefined>> {
  const samples = rails.map((): EnergySample[] => []);
  const sample = () =>
    Promise.all(
      rails.map(async (rail, index) => {
        const read = await readEnergy(reader, rail, clock.monotonicMs());
        if (read) samples[index]?.push(read);
      }),
    );
  await sample();
  const sampled = samples.some(([first]) => first?.kind === 'power');
  let over = false;
  let cancel = () => {};
  const again = () => {
    cancel = clock.after('machine: sample power', powerSampleMs, () => {
      void sample().then(() => {
        if (!over) again();
      });
    });
  };
  if (sampled) again();
  return async () => {
    over = true;
    cancel();
    await sample();
    const used = rails.map((rail, index) => energyBetweenMj(rail, samples[index] ?? []));
    if (rails.length === 0 || used.includes(undefined)) return undefined;
    return used.reduce<number>((sum, energyMj) => sum + (energyMj ?? 0), 0);
  };
}
