import type { DeviceRecord } from '@shoal/coordinator';
import { peerIdOf, type Random } from '@shoal/protocol';
import { type DeviceClass, type DeviceGroup, deviceClasses } from '../fleet/index.ts';
import { p95OverP50, usualMs } from './run-times.ts';
import { variants } from './variants.ts';

/** What a coordinator has on record of a device of the group: what it is, and what it measured. */
export function deviceRecord(group: DeviceGroup, number: number, random: Random): DeviceRecord {
  const kind: DeviceClass = deviceClasses[group.class];
  const publicKey = random.bytes(32);
  const { battery } = group;
  return {
    id: peerIdOf('device', publicKey),
    publicKey,
    name: `${group.class}-${number}`,
    labels: group.labels,
    joinedAtMs: 0,
    tokenId: '',
    draining: false,
    revoked: false,
    capability: {
      hostName: `${group.class}-${number}`,
      software: 'shoal-sim',
      platform: 'linux',
      arch: 'arm64',
      board: kind.title,
      cpuModel: '',
      cores: kind.cores,
      cpuFeatures: [],
      memoryBytes: kind.memoryBytes,
      diskFreeBytes: 1e10,
      accelerators: [],
      powerSource: battery ? 'battery' : 'mains',
      hasBattery: battery !== undefined,
      runtimes: [kind.runtime],
      decoders: ['h264'],
      taskSlots: kind.slots,
      container: false,
      phone: false,
      batteryWh: battery?.wattHours ?? null,
      idleWatts: kind.idleWatts,
    },
    profiles: profilesOf(kind),
    ...(battery && { power: { floorPct: battery.floorPct, charging: battery.charging } }),
  };
}

type Profiles = DeviceRecord['profiles'];
/** A hundred thousand devices of a class share one list. */
const profilesByKind = new Map<DeviceClass, Profiles>();

function profilesOf(kind: DeviceClass): Profiles {
  const profiles = profilesByKind.get(kind) ?? measured(kind);
  profilesByKind.set(kind, profiles);
  return profiles;
}

/** As if each had measured what is usual for its class. */
function measured(kind: DeviceClass): Profiles {
  return variants
    .filter(({ variant }) => variant.precision === 'int8' || kind.floatFactor !== undefined)
    .map(({ model, variant }) => {
      const p50Ms = usualMs(kind, model, variant.name as 'int8');
      return {
        model,
        variant: variant.name,
        sha256: new Uint8Array(32),
        engine: kind.runtime,
        p50Ms,
        p95Ms: p50Ms * p95OverP50,
        loadMs: kind.loadMs,
        memoryBytes: 1e8,
        energyMj: (kind.busyWatts / kind.slots) * p50Ms,
        samples: 20,
        confidence: 1,
        measuredAtMs: 0,
      };
    });
}
