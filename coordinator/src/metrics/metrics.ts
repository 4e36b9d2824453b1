import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Coordinator } from '../domain/index.ts';
import { addCameras } from './cameras.ts';
import { addStatistics } from './statistics.ts';
import { addWebhooks } from './webhooks.ts';

/** What Prometheus reads. Seconds, bytes and ratios; what counts up ends in `_total`. docs/metrics.md lists all. */
export interface Metrics {
  readonly contentType: string;
  exposition(): Promise<string>;
  observeRequest(method: string, route: string, status: number, seconds: number): void;
}

const requestBuckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60];

export function createMetrics(coordinator: Coordinator, version: string): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'shoal_http_request_duration_seconds',
    help: 'Time from request to answer, by route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: requestBuckets,
    registers,
  });
  new Gauge({
    name: 'shoal_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'coordinator'],
    registers,
  })
    .labels(version, coordinator.identity.id)
    .set(1);
  addStatistics(coordinator, registers);
  addFleet(coordinator, registers);
  addDevices(coordinator, registers);
  addCameras(coordinator, registers);
  addWebhooks(coordinator, registers);
  return {
    contentType: registry.contentType,
    exposition: () => registry.metrics(),
    observeRequest: (method, route, status, seconds) => requests.labels(method, route, String(status)).observe(seconds),
  };
}

function addFleet(coordinator: Coordinator, registers: Registry[]): void {
  new Gauge({
    name: 'shoal_healthy',
    help: '1 when all health checks pass, else 0.',
    registers,
    collect() {
      this.set(coordinator.health().status === 'ok' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'shoal_tasks',
    help: 'Tasks that have not ended, by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const { queued, running } = coordinator.health().tasks;
      this.labels('queued').set(queued);
      this.labels('running').set(running);
    },
  });
  new Gauge({
    name: 'shoal_devices',
    help: 'Devices of the fleet, by presence.',
    labelNames: ['presence'],
    registers,
    collect() {
      const devices = coordinator.devices.list().filter(({ revoked }) => !revoked);
      for (const presence of ['online', 'suspect', 'offline']) {
        this.labels(presence).set(devices.filter((device) => device.presence === presence).length);
      }
    },
  });
}

type Reading = (device: ReturnType<Coordinator['devices']['list']>[number]) => number | null | undefined;

const deviceReadings: readonly (readonly [name: string, help: string, read: Reading])[] = [
  ['shoal_device_cpu_load_ratio', 'Load of all cores, 0 to 1.', ({ telemetry }) => telemetry?.cpuLoad],
  [
    'shoal_device_memory_available_bytes',
    'Memory that is free to use.',
    ({ telemetry }) => telemetry?.memoryAvailableBytes,
  ],
  ['shoal_device_temperature_celsius', 'Hottest sensor.', ({ telemetry }) => telemetry?.temperatureC],
  ['shoal_device_battery_ratio', 'Charge of the battery, 0 to 1.', ({ telemetry }) => percent(telemetry?.batteryPct)],
  ['shoal_device_throttled', '1 while the device slows itself down.', ({ telemetry }) => flag(telemetry?.throttled)],
  [
    'shoal_device_outbox_results',
    'Results that wait on the device to be delivered.',
    ({ telemetry }) => telemetry?.outbox,
  ],
  ['shoal_device_attempts_running', 'Attempts that are with the device.', ({ running }) => running],
];

function addDevices(coordinator: Coordinator, registers: Registry[]): void {
  for (const [name, help, read] of deviceReadings) {
    new Gauge({
      name,
      help,
      labelNames: ['device', 'name'],
      registers,
      collect() {
        this.reset();
        for (const device of coordinator.devices.list()) {
          const value = read(device);
          if (value !== undefined && value !== null) this.labels(device.id, device.name).set(value);
        }
      },
    });
  }
}

function percent(value: number | null | undefined): number | undefined {
  return value === null || value === undefined ? undefined : value / 100;
}

function flag(value: boolean | null | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
