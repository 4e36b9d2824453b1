import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CameraStatus, SceneResult } from '@shoal/protocol';
import { describe, expect, test, vi } from 'vitest';
import { createMetrics } from '../../src/metrics/index.ts';
import { aCoordinator } from '../http/a-coordinator.ts';
import { anApi } from '../http/a-server.ts';
import { aWebhook } from '../support/builders.ts';

const docs = join(import.meta.dirname, '..', '..', '..', 'docs');
const page = join(docs, 'metrics.md');

describe('metrics', () => {
  test('are those that the documentation lists, no more and no less', async () => {
    const { call } = await anApi();
    const { text, headers } = await call('GET', '/metrics');
    expect(headers['content-type']).toMatch('text/plain; version=0.0.4');
    const served = [...text.matchAll(/^# TYPE (shoal_\w+) /gm)].map(([, name]) => name);
    const documented = [...(await readFile(page, 'utf8')).matchAll(/^\| `(shoal_\w+)`/gm)].map(([, name]) => name);
    expect(served.toSorted()).toEqual(documented.toSorted());
  });

  test('have base units, and counters end in _total', async () => {
    const { call } = await anApi();
    const { text } = await call('GET', '/metrics');
    for (const [, name, type] of text.matchAll(/^# TYPE (shoal_\w+) (\w+)$/gm)) {
      expect([name, name?.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(name).not.toMatch(/_(ms|millis|kb|mb|percent|pct)(_|$)/);
    }
  });

  test('say what the fleet is and does, and leave out what a device did not measure', async () => {
    const { call } = await anApi();
    await call('POST', '/v1/cameras', { json: { source: '/a', name: 'yard' } });
    await call('GET', '/v1/devices');
    const { text } = await call('GET', '/metrics');
    expect(text).toMatch(/^shoal_devices\{presence="online"\} 1$/m);
    expect(text).toMatch(/^shoal_device_battery_ratio\{.*name="pi-5"\} 0.8$/m);
    expect(text).not.toMatch(/^shoal_device_temperature_celsius\{/m);
    expect(text).toMatch(/^shoal_camera_frames_per_second\{.*name="yard"\} 0$/m);
    expect(text).toMatch(/^shoal_frames_refused_total\{code="message.signature"\} 2$/m);
    expect(text).toMatch(/^shoal_http_request_duration_seconds_count\{.*route="\/v1\/devices".*\} 1$/m);
  });

  test('say of each camera how it does, and of one that says nothing no more than is known', async () => {
    const coordinator = aCoordinator();
    const { id } = await coordinator.cameras.create(aSpec('yard'));
    const quiet = await coordinator.cameras.create(aSpec('barn'));
    const { list } = coordinator.cameras;
    coordinator.cameras.list = () =>
      list().map((camera) => (camera.id === id ? { ...camera, status, pushed: { taken: 7, dropped: 2 } } : camera));
    coordinator.sees(id, aScene(id, ['person', 'person', 'dog']));
    await vi.waitFor(() => expect([...coordinator.events.counts(id)].length).toBeGreaterThan(0));
    const text = await createMetrics(coordinator, '1').exposition();
    const said = (name: string, more: string) =>
      Number(new RegExp(`^shoal_camera_${name}\\{camera="${id}",name="yard"${more}\\} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(said('frames_per_second', '')).toBe(4.5);
    expect(said('frames_total', '')).toBe(90);
    expect(said('frames_dropped_total', '')).toBe(3);
    expect(said('restarts_total', '')).toBe(2);
    expect(said('latency_seconds', ',quantile="0.5"')).toBe(0.04);
    expect(said('latency_seconds', ',quantile="0.95"')).toBe(0.12);
    expect(said('pushed_pictures_total', ',outcome="taken"')).toBe(7);
    expect(said('pushed_pictures_total', ',outcome="dropped"')).toBe(2);
    expect(said('events_total', ',label="person"')).toBe(2);
    expect(said('events_total', ',label="dog"')).toBe(1);
    expect(text).not.toMatch(new RegExp(`^shoal_camera_(latency|pushed|events).*${quiet.id}`, 'm'));
  });

  test('of events are of a few labels for each camera, whatever its device says', async () => {
    const coordinator = aCoordinator();
    const { id } = await coordinator.cameras.create(aSpec('yard'));
    const labels = Array.from({ length: 50 }, (_, number) => `label ${number}`);
    coordinator.sees(id, aScene(id, labels));
    await vi.waitFor(() => expect([...coordinator.events.counts(id)].length).toBeGreaterThan(0));
    const text = await createMetrics(coordinator, '1').exposition();
    expect(text.match(/^shoal_camera_events_total\{/gm)).toHaveLength(21);
    expect(text).toMatch(/^shoal_camera_events_total\{.*label="other"\} 30$/m);
  });

  test('say of each webhook how its deliveries do', async () => {
    const webhook = aWebhook();
    const counts = { delivered: 5, failed: 4, dropped: 3, waiting: 2 };
    const coordinator = aCoordinator();
    coordinator.webhooks.list = () => [{ ...webhook, ...counts }];
    const text = await createMetrics(coordinator, '1').exposition();
    expect(text).toMatch(/^shoal_webhook_deliveries_total\{webhook="whk_1",outcome="delivered"\} 5$/m);
    expect(text).toMatch(/^shoal_webhook_deliveries_total\{webhook="whk_1",outcome="dropped"\} 3$/m);
    expect(text).toMatch(/^shoal_webhook_failed_tries_total\{webhook="whk_1"\} 4$/m);
    expect(text).toMatch(/^shoal_webhook_deliveries_waiting\{webhook="whk_1"\} 2$/m);
    expect(text).not.toContain(webhook.url);
  });

  test('that the Grafana dashboard names are there, with the labels that it asks for', async () => {
    const dashboard = JSON.parse(await readFile(join(docs, 'grafana', 'shoal.json'), 'utf8')) as Dashboard;
    const documented = new Map(
      Array.from((await readFile(page, 'utf8')).matchAll(/^\| `(shoal_\w+)` \|([^|]*)\|/gm), ([, name, labels]) => [
        name,
        (labels ?? '').split(',').map((label) => label.trim()),
      ]),
    );
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(10);
    for (const expression of [...expressions, ...dashboard.templating.list.map(({ definition }) => definition)]) {
      const named = [...expression.matchAll(/(shoal_\w+)(?:\{([^}]*)\})?/g)];
      expect(named).not.toHaveLength(0);
      for (const [, name, matchers = ''] of named) {
        expect([...documented.keys()]).toContain(name);
        for (const [, label] of matchers.matchAll(/(\w+)=~?"/g)) expect(documented.get(name)).toContain(label);
      }
    }
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

interface Dashboard {
  readonly panels: readonly { readonly id: number; readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly definition: string }[] };
}

const status: CameraStatus = {
  ...{ cameraId: 'cam', state: 'running', reason: '', fps: 4.5, frames: 90, dropped: 3, restarts: 2, decode: 'full' },
  ...{ latencyP50Ms: 40, latencyP95Ms: 120, seenFps: 5, sourceFps: 5, sourceWidth: 640, sourceHeight: 360 },
  decodeCores: 0.1,
};

const aSpec = (name: string) => ({
  ...{ name, source: '/a', pipeline: 'watch', targetFps: 5, parameters: {}, loop: false, labels: {} },
});

function aScene(camera: string, labels: readonly string[]): SceneResult {
  const startedAtMs = Date.UTC(2026, 0, 1);
  const box = { x: 1, y: 2, width: 3, height: 4 };
  return {
    ...{ schema: 1, kind: 'scene', pipeline: 'watch', picture: { width: 640, height: 360 }, motion: 0, looked: true },
    ...{ tracks: [], unseen: [], crossings: [], frame: { camera, number: 1, capturedAtMs: startedAtMs } },
    events: labels.map((label, track) => ({
      ...{ id: `evt_${String(track).padStart(25, '0')}`, phase: 'start', label, track, startedAtMs, zones: {} },
      ...{ topScore: 0.8, box },
    })),
  };
}
