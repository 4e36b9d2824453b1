import { aChoice, type Choice, type DeviceRecord, type FleetDevice, Registry } from '@shoal/coordinator';
import { catalogueManifests } from '@shoal/models/manifest';
import { peerIdOf, type Random, silentLogger, type Telemetry, type VariantProfile } from '@shoal/protocol';
import type { VirtualClock } from '@shoal/protocol/testing';

export const telemetryIntervalMs = 30_000;

/** Kinds of devices: what EfficientDet-Lite0 takes there, ms, and draws, watts; and how many of a hundred there are. */
const kinds = [
  { board: 'Raspberry Pi 3B+', share: 10, runMs: 475, watts: 2.6, slots: 1, runtime: 'cpu', onBattery: false },
  { board: 'Raspberry Pi 4B', share: 30, runMs: 141, watts: 3.4, slots: 1, runtime: 'cpu', onBattery: false },
  { board: 'Raspberry Pi 5', share: 20, runMs: 29, watts: 5.9, slots: 2, runtime: 'cpu', onBattery: false },
  { board: 'Raspberry Pi 4B, Coral', share: 10, runMs: 22.8, watts: 2.4, slots: 1, runtime: 'tpu', onBattery: false },
  { board: 'Raspberry Pi 5, Hailo', share: 5, runMs: 9, watts: 3.5, slots: 2, runtime: 'npu', onBattery: false },
  { board: 'Jetson Nano', share: 5, runMs: 32, watts: 6, slots: 1, runtime: 'cuda', onBattery: false },
  { board: 'Jetson Orin Nano', share: 5, runMs: 8, watts: 8, slots: 2, runtime: 'cuda', onBattery: false },
  { board: 'phone', share: 10, runMs: 60, watts: 3, slots: 1, runtime: 'cpu', onBattery: true },
  { board: 'phone with an NPU', share: 5, runMs: 14, watts: 1.8, slots: 1, runtime: 'npu', onBattery: true },
] as const;

type Kind = (typeof kinds)[number];

const detectors = catalogueManifests.filter(({ name }) => name.startsWith('efficientdet-lite'));

/** Every file of every detector: what a task may run that can give up some accuracy. */
export const choices: readonly Choice[] = detectors.flatMap(({ name, variants }, size) =>
  variants.map((variant) => aChoice(name, variant, 0.26 + 0.04 * size + (variant.precision === 'float32' ? 0.005 : 0))),
);

/** A fleet of many kinds in a real registry: each device a little different, most with something in memory, batteries at any level. */
export function registeredFleet(
  size: number,
  clock: VirtualClock,
  random: Random,
): { readonly registry: Registry; readonly devices: readonly FleetDevice[] } {
  const registry = new Registry(
    // Nobody joins: all are on record.
    {
      clock,
      random,
      logger: silentLogger,
      store: { commit: async () => {}, defer: () => {} },
      tokens: undefined as never,
    },
    { telemetryIntervalMs, livenessTimeoutMs: 3 * telemetryIntervalMs, deviceLimit: size },
  );
  const records = Array.from({ length: size }, (_, number) => record(number, random));
  registry.load(records);
  const devices = records.map(({ id }) => registry.sender(id));
  for (const device of devices) {
    registry.heard(device);
    report(registry, device, random);
    experience(device, clock, random);
  }
  return { registry, devices };
}

/** What an agent says every now and then. */
export function report(registry: Registry, device: FleetDevice, random: Random): void {
  const { hasBattery } = device.record.capability;
  const levelPct = device.power.levelPct ?? 35 + 60 * random.next();
  const telemetry: Telemetry = {
    batteryPct: hasBattery ? Math.max(0, levelPct - 0.1 * random.next()) : null,
    charging: hasBattery ? false : null,
    temperatureC: 50,
    throttled: false,
    cpuLoad: 0.2,
    memoryAvailableBytes: 1e9,
    running: device.running,
    queued: 0,
    outbox: 0,
    cameras: [],
    loadedModels: loadedOn(device),
    links: [],
  };
  registry.telemetry(device, telemetry);
}

function loadedOn({ name }: FleetDevice): readonly string[] {
  const [first, second, third] = choices;
  const held = Number(name.slice(name.lastIndexOf(' '))) % 3;
  return [first, second, third].slice(0, held + 1).map((choice) => choice?.key ?? '');
}

/** A few results, as a fleet has them that has worked for a while: measurements by chance differ. */
function experience(device: FleetDevice, clock: VirtualClock, random: Random): void {
  for (const { model, variant } of choices.slice(0, 2)) {
    const usualMs = device.figures(`${model}/${variant.name}`).run?.meanMs ?? 0;
    for (let n = 0; n < 3; n++) {
      const inferenceMs = usualMs * (0.9 + 0.2 * random.next());
      const timings = { queuedMs: 0, transferMs: 5, loadMs: 0, decodeMs: 4, inferenceMs, totalMs: inferenceMs + 9 };
      device.learn(model, variant.name, timings, 60_000, clock.monotonicMs());
    }
  }
}

function record(number: number, random: Random): DeviceRecord {
  const kind = kindOf(number % 100);
  const publicKey = random.bytes(32);
  const name = `${kind.board} ${number}`;
  return {
    id: peerIdOf('device', publicKey),
    publicKey,
    name,
    labels: {},
    joinedAtMs: 0,
    tokenId: '',
    draining: false,
    revoked: false,
    capability: {
      hostName: name,
      software: 'shoal-agent',
      platform: 'linux',
      arch: 'arm64',
      board: kind.board,
      cpuModel: '',
      cores: 4,
      cpuFeatures: [],
      memoryBytes: 4e9,
      diskFreeBytes: 1e10,
      accelerators: [],
      powerSource: kind.onBattery ? 'battery' : 'mains',
      hasBattery: kind.onBattery,
      runtimes: [`onnxruntime-node/1.30.0 ${kind.runtime}`],
      decoders: [],
      taskSlots: kind.slots,
      container: false,
      phone: kind.onBattery,
      batteryWh: kind.onBattery ? 15 : null,
      idleWatts: 2,
    },
    profiles: choices.map((choice, place) => profile(kind, choice, place, random)),
  };
}

function profile(kind: Kind, { model, variant }: Choice, place: number, random: Random): VariantProfile {
  const p50Ms = kind.runMs * (1 + place / 2) * (0.95 + 0.1 * random.next());
  return {
    model,
    variant: variant.name,
    sha256: new Uint8Array(32),
    engine: 'onnxruntime-node/1.30.0',
    p50Ms,
    p95Ms: p50Ms * 1.2,
    loadMs: 600,
    memoryBytes: 1e8,
    energyMj: (kind.watts / kind.slots) * p50Ms,
    samples: 20,
    confidence: 1,
    measuredAtMs: 0,
  };
}

function kindOf(percent: number): Kind {
  let left = percent;
  for (const kind of kinds) {
    left -= kind.share;
    if (left < 0) return kind;
  }
  return kinds[0];
}
