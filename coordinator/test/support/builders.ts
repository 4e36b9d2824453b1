import { type Capability, sha256, type Telemetry, toHex, type VariantProfile } from '@shoal/protocol';
import type {
  Camera,
  DeviceRecord,
  EventRecord,
  Placement,
  ResultRecord,
  Task,
  TaskSpec,
  TokenRecord,
  WebhookRecord,
} from '../../src/domain/index.ts';

export const startMs = Date.UTC(2026, 0, 1);

export function aCapability(change: Partial<Capability> = {}): Capability {
  return {
    hostName: 'pi',
    software: 'shoal-agent/0.1.0',
    platform: 'linux',
    arch: 'arm64',
    board: 'Raspberry Pi 5',
    cpuModel: 'Cortex-A76',
    cores: 4,
    cpuFeatures: ['asimd'],
    memoryBytes: 8e9,
    diskFreeBytes: 2e10,
    accelerators: [{ kind: 'gpu', vendor: 'Broadcom', name: 'V3D', memoryBytes: 0 }],
    powerSource: 'mains',
    hasBattery: false,
    runtimes: ['onnxruntime-node/1.30.0 cpu'],
    decoders: ['h264'],
    taskSlots: 2,
    container: false,
    phone: false,
    batteryWh: null,
    idleWatts: null,
    ...change,
  };
}

/** Of a device that has nothing to say but that it is there. */
export function aTelemetry(change: Partial<Telemetry> = {}): Telemetry {
  return {
    batteryPct: null,
    charging: null,
    temperatureC: null,
    throttled: null,
    cpuLoad: 0,
    memoryAvailableBytes: 0,
    running: 0,
    queued: 0,
    outbox: 0,
    cameras: [],
    loadedModels: [],
    links: [],
    ...change,
  };
}

export function aProfile(change: Partial<VariantProfile> = {}): VariantProfile {
  return {
    model: 'efficientdet-lite0',
    variant: 'int8',
    sha256: sha256('a model file'),
    engine: 'onnx',
    p50Ms: 20,
    p95Ms: 30,
    loadMs: 100,
    memoryBytes: 5e7,
    energyMj: null,
    samples: 30,
    confidence: 0.9,
    measuredAtMs: startMs,
    ...change,
  };
}

export function aDeviceRecord(change: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    id: 'dev_aaaaaaaaaaaaaaaaaaaaaaaaaa',
    publicKey: new Uint8Array(32).fill(7),
    name: 'pi',
    labels: { room: 'hall' },
    joinedAtMs: startMs,
    tokenId: 'tok_1',
    draining: false,
    revoked: false,
    capability: aCapability(),
    profiles: [aProfile()],
    ...change,
  };
}

export function aTokenRecord(change: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: 'tok_1',
    secret: new Uint8Array(16).fill(3),
    createdAtMs: startMs,
    expiresAtMs: startMs + 3_600_000,
    usesLeft: 1,
    approve: false,
    labels: {},
    ...change,
  };
}

export function aWebhook(change: Partial<WebhookRecord> = {}): WebhookRecord {
  return {
    id: 'whk_1',
    url: 'https://example.org/hook?token=secret',
    types: ['event.started', 'event.ended'],
    picture: false,
    secret: new Uint8Array(32).fill(5),
    createdAtMs: startMs,
    ...change,
  };
}

export function aSpec(change: Partial<TaskSpec> = {}): TaskSpec {
  return { pipeline: 'noop', parameters: {}, deadlineMs: 60_000, labels: {}, maxAttempts: 3, ...change };
}

export function aPlacement(device = 'dev_aaaaaaaaaaaaaaaaaaaaaaaaaa'): Placement {
  const cost = { lateness: 0, time: 0, energy: 0, accuracy: 0, scarcity: 0, decode: 0, move: 0, total: 0 };
  const times = { queueMs: 0, transferMs: 0, loadMs: 0, inferenceMs: 1, totalMs: 1, p95Ms: 1 };
  const chosen = { device, ...times, energyJ: 0, cost };
  return { strategy: 'cost', chosen, others: [], refused: [], considered: 1 };
}

export function aTask(change: Partial<Task> = {}): Task {
  return {
    id: 'tsk_1',
    spec: aSpec(),
    state: 'queued',
    createdAtMs: startMs,
    expiresAtMs: startMs + 60_000,
    attempts: [],
    ...change,
  };
}

export function anEndedTask(number: number, change: Partial<Task> = {}): Task {
  return aTask({
    id: `tsk_${String(number).padStart(6, '0')}`,
    state: 'succeeded',
    endedAtMs: startMs + number,
    ...change,
  });
}

export function anEvent(number: number, change: Partial<EventRecord> = {}): EventRecord {
  return {
    id: `evt_${String(number).padStart(25, '0')}`,
    camera: 'cam_1',
    device: 'dev_a',
    label: 'person',
    track: number,
    startedAtMs: startMs + number,
    endedAtMs: startMs + number + 1_000,
    zones: {},
    topScore: 0.9,
    box: { x: 1, y: 2, width: 3, height: 4.5 },
    picture: { width: 640, height: 360 },
    firstResult: 'res_1',
    lastResult: 'res_2',
    ...change,
  };
}

export function aResult(change: Partial<ResultRecord> = {}): ResultRecord {
  return {
    id: 'res_1',
    work: { task: 'tsk_1', attempt: 'att_1' },
    device: 'dev_aaaaaaaaaaaaaaaaaaaaaaaaaa',
    receivedAtMs: startMs,
    result: Uint8Array.of(1, 2, 3),
    attestation: Uint8Array.of(4, 5),
    ...change,
  };
}

export function aReport(number: number, change: Partial<ResultRecord> = {}): ResultRecord {
  return aResult({
    id: `res_${String(number).padStart(6, '0')}`,
    work: { camera: 'cam_1', report: number },
    receivedAtMs: startMs + number,
    ...change,
  });
}

export function aCamera(change: Partial<Camera> = {}): Camera {
  return {
    id: 'cam_1',
    spec: {
      name: 'door',
      source: 'rtsp://user:secret@10.0.0.9/stream',
      pipeline: 'detect',
      targetFps: 5,
      parameters: {},
      loop: false,
      labels: {},
    },
    revision: 1,
    createdAtMs: startMs,
    formerDevices: [],
    reason: 'waits for a device',
    refused: [],
    ...change,
  };
}

export function aDigest(text: string): string {
  return toHex(sha256(text));
}
