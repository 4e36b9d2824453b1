import { toHex, type VariantProfile } from '@shoal/protocol';
import { type Static, Type } from 'typebox';
import type { DeviceView } from '../../domain/index.ts';
import { CameraStatus, cameraStatusView } from './camera-status.ts';
import { DeviceId, Labels, named, present, Timestamp, timestamp } from './schema.ts';

const Accelerator = Type.Object({
  kind: Type.String({ examples: ['gpu', 'npu', 'tpu', 'video-decoder'] }),
  vendor: Type.String(),
  name: Type.String(),
  memoryBytes: Type.Number(),
});

const Capability = Type.Object(
  {
    hostName: Type.String(),
    software: Type.String(),
    platform: Type.String(),
    arch: Type.String(),
    board: Type.String({ description: 'Model of the board or machine; empty when unknown.' }),
    cpuModel: Type.String(),
    cores: Type.Integer(),
    cpuFeatures: Type.Array(Type.String()),
    memoryBytes: Type.Number(),
    diskFreeBytes: Type.Number(),
    accelerators: Type.Array(Accelerator),
    powerSource: Type.String({ examples: ['mains', 'battery', 'unknown'] }),
    hasBattery: Type.Boolean(),
    runtimes: Type.Array(Type.String(), { description: 'Inference runtimes that were probed and work.' }),
    decoders: Type.Array(Type.String(), { description: 'Video codecs that can be decoded.' }),
    taskSlots: Type.Integer({ description: 'Inferences that can run at the same time.' }),
    container: Type.Boolean(),
    phone: Type.Boolean(),
    batteryWh: Type.Optional(Type.Number({ description: 'A full battery.' })),
    idleWatts: Type.Optional(Type.Number({ description: 'What it draws whether it works or not.' })),
  },
  { description: 'What the device has, as it found out itself.' },
);

export const Power = Type.Object(
  {
    floorPct: Type.Optional(
      Type.Number({ minimum: 0, maximum: 100, description: 'Work never takes the battery below this level.' }),
    ),
    mainsOnly: Type.Optional(Type.Boolean({ description: 'Never works on its battery.' })),
    charging: Type.Optional(
      Type.Array(
        Type.Object(
          {
            fromMinute: Type.Integer({ minimum: 0, maximum: 1440 }),
            toMinute: Type.Integer({ minimum: 0, maximum: 1440 }),
            watts: Type.Number({ minimum: 0, maximum: 1e5 }),
          },
          { additionalProperties: false },
        ),
        { maxItems: 24, description: 'When it is charged, in minutes since midnight UTC; the sun is a charger too.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'What its owner allows of its battery.' },
);

const Profile = Type.Object(
  {
    model: Type.String(),
    variant: Type.String(),
    sha256: Type.String(),
    engine: Type.String(),
    p50Ms: Type.Number(),
    p95Ms: Type.Number(),
    loadMs: Type.Number(),
    memoryBytes: Type.Number(),
    energyMj: Type.Optional(Type.Number()),
    samples: Type.Integer(),
    confidence: Type.Number({ description: '0..1, how sure the device is of the figures.' }),
    measuredAt: Timestamp,
  },
  { description: 'What the device measured about one variant of one model.' },
);

const LinkState = Type.Object({
  kind: Type.String({ examples: ['mqtt', 'coap', 'libp2p'] }),
  up: Type.Boolean(),
  inUse: Type.Boolean({ description: 'What the device says leaves over this one.' }),
  rttMs: Type.Optional(Type.Number({ description: 'There and back, with what the coordinator takes to answer.' })),
  loss: Type.Number({ description: 'Share of what was asked that nothing came back for, 0..1.' }),
});

const Telemetry = Type.Object(
  {
    batteryPct: Type.Optional(Type.Number()),
    charging: Type.Optional(Type.Boolean()),
    temperatureC: Type.Optional(Type.Number()),
    throttled: Type.Optional(Type.Boolean()),
    cpuLoad: Type.Number({ description: 'Load of all cores, 0..1.' }),
    memoryAvailableBytes: Type.Number(),
    running: Type.Integer(),
    queued: Type.Integer(),
    outbox: Type.Integer({ description: 'Results that wait to be delivered.' }),
    cameras: Type.Array(CameraStatus),
    links: Type.Array(LinkState, { description: 'To the coordinator, the preferred one first.' }),
  },
  { description: 'What changes by the second.' },
);

const Link = Type.Object(
  {
    rttMs: Type.Optional(Type.Number({ description: 'There and back.' })),
    bytesPerMs: Type.Optional(Type.Number({ description: 'Of inputs on their way to it.' })),
    up: Type.Array(Type.String(), { description: 'Kinds of links that reach it now.', examples: [['mqtt', 'libp2p']] }),
  },
  { description: 'What was measured of its link since the coordinator started.' },
);

const stateFields = [
  'id',
  'name',
  'presence',
  'lastSeenAt',
  'labels',
  'draining',
  'pending',
  'running',
  'link',
] as const;

export const Device = named(
  'Device',
  Type.Object({
    id: DeviceId,
    name: Type.String(),
    presence: Type.Union([Type.Literal('online'), Type.Literal('suspect'), Type.Literal('offline')], {
      description:
        '`online`: heard of lately. `suspect`: its link said that it is gone. `offline`: silent for too long.',
    }),
    lastSeenAt: Type.Optional(Timestamp),
    joinedAt: Timestamp,
    labels: Labels,
    draining: Type.Boolean({ description: 'Finishes what it has and gets nothing new.' }),
    revoked: Type.Boolean({ description: 'Refused, whatever it says.' }),
    sealed: Type.Boolean({
      description: 'Nobody on the way, a broker included, can read what it says and is told: docs/security.md.',
    }),
    pending: Type.Boolean({ description: 'Waits for approval, and gets nothing; with `revoked`: it was rejected.' }),
    follows: Type.Optional({ ...DeviceId, description: 'The same device under its former key.' }),
    followedBy: Type.Optional({ ...DeviceId, description: 'The same device under the key that it has now.' }),
    running: Type.Integer({ description: 'Attempts that are with the device.' }),
    link: Link,
    capability: Capability,
    power: Type.Optional(Power),
    profiles: Type.Array(Profile),
    telemetry: Type.Optional(Telemetry),
  }),
);
export type Device = Static<typeof Device.definition>;

export const DeviceState = named(
  'DeviceState',
  Type.Object(
    {
      ...Type.Pick(Device.definition, stateFields).properties,
      batteryPct: Type.Optional(Type.Number()),
      charging: Type.Optional(Type.Boolean()),
      temperatureC: Type.Optional(Type.Number()),
      throttled: Type.Optional(Type.Boolean()),
      links: Type.Array(LinkState, { description: 'To the coordinator, as the device says, the preferred one first.' }),
      cameras: Type.Array(Type.Object({ cameraId: Type.String(), state: Type.String() })),
    },
    { description: 'What of a device changes while somebody watches.' },
  ),
);
export type DeviceState = Static<typeof DeviceState.definition>;

export function deviceStateView(device: DeviceView): DeviceState {
  const { id, name, presence, lastSeenAt, labels, draining, pending, running, link, telemetry } = deviceView(device);
  const { batteryPct, charging, temperatureC, throttled, links = [], cameras = [] } = telemetry ?? {};
  return present<DeviceState>({
    ...{ id, name, presence, lastSeenAt, labels, draining, pending, running, link },
    ...{ batteryPct, charging, temperatureC, throttled, links },
    cameras: cameras.map(({ cameraId, state }) => ({ cameraId, state })),
  });
}

export function deviceView(device: DeviceView): Device {
  const { id, name, presence, labels, draining, revoked, running, link, capability, power, telemetry } = device;
  const { pending = false, follows, followedBy } = device;
  return present<Device>({
    id,
    name,
    presence,
    lastSeenAt: device.lastSeenMs === undefined ? undefined : timestamp(device.lastSeenMs),
    joinedAt: timestamp(device.joinedAtMs),
    labels: { ...labels },
    draining,
    revoked,
    sealed: device.sealed ?? false,
    pending,
    follows: follows?.device,
    followedBy,
    running,
    link: { ...link, up: [...link.up] },
    capability: present<Device['capability']>(capability),
    power: power && present<object>(power),
    profiles: device.profiles.map(profileView),
    telemetry: telemetry && {
      ...present<object>(telemetry),
      cameras: telemetry.cameras.map(cameraStatusView),
      links: telemetry.links.map((state) => present<object>(state)),
    },
  });
}

function profileView({ sha256, measuredAtMs, ...profile }: VariantProfile) {
  return { ...present<object>(profile), sha256: toHex(sha256), measuredAt: timestamp(measuredAtMs) };
}
