import { Counter, Gauge, type Registry } from 'prom-client';
import type { CameraView, Coordinator } from '../domain/index.ts';

const labelNames = ['camera', 'name'];

interface Sample {
  /** Beside the camera and its name. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

interface CameraMetric {
  readonly name: string;
  readonly help: string;
  /** The label beside the camera and its name. */
  readonly label?: string;
  /** None: there is nothing to say of this camera. */
  readonly read: (camera: CameraView) => readonly Sample[];
}

const gauges: readonly CameraMetric[] = [
  {
    name: 'shoal_camera_frames_per_second',
    help: 'Pictures that are analysed each second.',
    read: ({ status }) => [{ value: status?.fps ?? 0 }],
  },
  {
    name: 'shoal_camera_latency_seconds',
    help: 'From a picture decoded to its result, of the last pictures.',
    label: 'quantile',
    read: ({ status }) =>
      status && status.frames > 0
        ? [
            { labels: { quantile: '0.5' }, value: status.latencyP50Ms / 1_000 },
            { labels: { quantile: '0.95' }, value: status.latencyP95Ms / 1_000 },
          ]
        : [],
  },
];

const counters: readonly CameraMetric[] = [
  {
    name: 'shoal_camera_frames_total',
    help: 'Pictures analysed by the device that has the camera now.',
    read: ({ status }) => [{ value: status?.frames ?? 0 }],
  },
  {
    name: 'shoal_camera_frames_dropped_total',
    help: 'Pictures given up because the device was busy.',
    read: ({ status }) => [{ value: status?.dropped ?? 0 }],
  },
  {
    name: 'shoal_camera_restarts_total',
    help: 'Times that the source had to be opened again.',
    read: ({ status }) => [{ value: status?.restarts ?? 0 }],
  },
  {
    name: 'shoal_camera_pushed_pictures_total',
    help: 'Pictures that the camera sent by itself, and those of them that were dropped.',
    label: 'outcome',
    read: ({ pushed }) =>
      pushed
        ? [
            { labels: { outcome: 'taken' }, value: pushed.taken },
            { labels: { outcome: 'dropped' }, value: pushed.dropped },
          ]
        : [],
  },
];

/** How each camera does. A camera that is removed takes its series along. */
export function addCameras({ cameras, events }: Coordinator, registers: Registry[]): void {
  for (const metric of gauges) {
    new Gauge({
      ...describe(metric, registers),
      collect() {
        this.reset();
        for (const { labels, value } of samples(metric, cameras.list())) this.labels(labels).set(value);
      },
    });
  }
  const began: CameraMetric = {
    name: 'shoal_camera_events_total',
    help: 'Stays before the camera that began.',
    label: 'label',
    read: ({ id }) => events.counts(id).map(({ label, count }) => ({ labels: { label }, value: count })),
  };
  for (const metric of [...counters, began]) {
    new Counter({
      ...describe(metric, registers),
      collect() {
        this.reset();
        for (const { labels, value } of samples(metric, cameras.list())) this.labels(labels).inc(value);
      },
    });
  }
}

function describe({ name, help, label }: CameraMetric, registers: Registry[]) {
  return { name, help, labelNames: label === undefined ? labelNames : [...labelNames, label], registers };
}

function samples({ read }: CameraMetric, cameras: readonly CameraView[]) {
  return cameras.flatMap((camera) =>
    read(camera).map(({ labels, value }) => ({
      labels: { camera: camera.id, name: camera.spec.name, ...labels },
      value,
    })),
  );
}
