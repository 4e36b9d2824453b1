import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anApi } from '../http/a-server.ts';

const page = join(import.meta.dirname, '..', '..', '..', 'docs', 'metrics.md');

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
});
