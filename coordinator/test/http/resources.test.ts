import { ShoalError, verifyBundle } from '@shoal/protocol';
import { describe, expect, test } from 'vitest';
import { aCoordinator } from './a-coordinator.ts';
import { anApi } from './a-server.ts';

describe('devices', () => {
  test('show what they have, what they measured and how they are, without what they did not say', async () => {
    const { call, coordinator } = await anApi();
    const [device] = (await call('GET', '/v1/devices')).json.items;
    expect(device).toMatchObject({
      name: 'pi-5',
      presence: 'online',
      capability: { board: 'Raspberry Pi 5 Model B Rev 1.0', cores: 4 },
      profiles: [{ model: 'efficientdet-lite0', p50Ms: 38 }],
      telemetry: { batteryPct: 80, charging: false },
    });
    expect(device.profiles[0]).not.toHaveProperty('energyMj');
    expect(device.telemetry).not.toHaveProperty('temperatureC');
    expect((await call('GET', `/v1/devices/${coordinator.device.id}`)).json).toEqual(device);
  });

  test('are renamed, labelled and drained, and revoked', async () => {
    const { call, coordinator } = await anApi();
    const url = `/v1/devices/${coordinator.device.id}`;
    const changed = await call('PATCH', url, { json: { name: 'barn', labels: { site: 'b' }, draining: true } });
    expect(changed.json).toMatchObject({ name: 'barn', labels: { site: 'b' }, draining: true });
    const power = { floorPct: 40, mainsOnly: true, charging: [{ fromMinute: 420, toMinute: 1_020, watts: 12 }] };
    expect((await call('PATCH', url, { json: { power } })).json.power).toEqual(power);
    expect((await call('DELETE', url)).status).toBe(204);
    expect((await call('GET', url)).json.revoked).toBe(true);
  });

  test('refuse changes that are empty, unknown or of a wrong kind', async () => {
    const { call, coordinator } = await anApi();
    const url = `/v1/devices/${coordinator.device.id}`;
    for (const json of [
      {},
      { nam: 'x' },
      { name: '' },
      { name: null },
      { draining: 'yes' },
      { power: { floorPct: 101 } },
      [],
      'x',
      7,
    ]) {
      expect((await call('PATCH', url, { json })).json).toMatchObject({ status: 400, code: 'input.invalid' });
    }
    expect((await call('PATCH', '/v1/devices/dev_x', { json: { name: 'x' } })).status).toBe(404);
  });
});

describe('a device that waits for approval', () => {
  test('is listed so, approved once, and rejected by another call', async () => {
    const { call, coordinator } = await anApi();
    Object.assign(coordinator.device, { pending: true });
    const url = `/v1/devices/${coordinator.device.id}`;
    expect((await call('GET', url)).json).toMatchObject({ pending: true });
    expect((await call('POST', `${url}/approve`)).json).toMatchObject({ pending: false });
    expect(await call('POST', `${url}/approve`)).toMatchObject({ status: 409, json: { code: 'conflict' } });
    expect((await call('POST', `${url}/reject`)).status).toBe(204);
    expect((await call('POST', '/v1/devices/dev_x/approve')).status).toBe(404);
    expect((await call('POST', '/v1/devices/dev_x/reject')).status).toBe(404);
  });
});

describe('tokens', () => {
  test('show their word once, and can be taken back', async () => {
    const { call } = await anApi();
    const made = await call('POST', '/v1/tokens', { json: { uses: 3, lifetimeMs: 60_000 } });
    expect(made.status).toBe(201);
    expect(made.headers['cache-control']).toBe('no-store');
    expect(made.json.word).toMatch(/^shoal1_/);
    const listed = await call('GET', '/v1/tokens');
    expect(listed.json.items).toMatchObject([{ id: made.json.id, usesLeft: 3 }]);
    expect(listed.text).not.toContain(made.json.word);
    expect((await call('DELETE', `/v1/tokens/${made.json.id}`)).status).toBe(204);
    expect((await call('DELETE', `/v1/tokens/${made.json.id}`)).status).toBe(404);
  });
});

describe('cameras', () => {
  const source = 'rtsp://viewer:s3cret@cam.example/stream?token=abc&quality=1';
  const shown = 'rtsp://***@cam.example/stream?token=***&quality=1';

  test('never show their password, in no answer and no log', async () => {
    const { call, log } = await anApi();
    const made = await call('POST', '/v1/cameras', { json: { source } });
    const url = `/v1/cameras/${made.json.id}`;
    expect(made.json).toMatchObject({
      name: 'cam.example',
      source: shown,
      pipeline: 'watch',
      targetFps: 5,
      revision: 1,
    });
    const answers = [
      made,
      await call('GET', url),
      await call('GET', '/v1/cameras'),
      await call('PUT', url, { json: { source } }),
    ];
    answers.push(await call('POST', '/v1/cameras', { json: { source, fps: 3 } }));
    for (const answer of answers) expect(answer.text).not.toMatch(/s3cret|abc/);
    expect(JSON.stringify(log)).not.toMatch(/s3cret|abc/);
  });

  test('keep their password when the shown source is sent back, and take a new one', async () => {
    const { call, coordinator } = await anApi();
    const { id } = (await call('POST', '/v1/cameras', { json: { source, name: 'door' } })).json;
    await call('PUT', `/v1/cameras/${id}`, { json: { source: shown, targetFps: 2 } });
    expect(coordinator.cameras.get(id).spec).toMatchObject({ source, name: 'door', targetFps: 2 });
    await call('PUT', `/v1/cameras/${id}`, { json: { source: 'rtsp://other/' } });
    expect(coordinator.cameras.get(id).spec.source).toBe('rtsp://other/');
  });

  test('are asked for with a priority, a time and a substream, whose password is as secret as that of the source', async () => {
    const { call, coordinator, log } = await anApi();
    const substream = 'rtsp://viewer:s3cret@cam.example/small?token=abc';
    const asked = { source, substream, priority: 8, p95Ms: 250 };
    const made = await call('POST', '/v1/cameras', { json: asked });
    const small = 'rtsp://***@cam.example/small?token=***';
    expect(made).toMatchObject({
      status: 201,
      json: { priority: 8, p95Ms: 250, substream: small, moves: [], service: { met: true } },
    });
    const url = `/v1/cameras/${made.json.id}`;
    const { text } = await call('PUT', url, { json: { source: shown, substream: small } });
    expect(coordinator.cameras.get(made.json.id).spec).toMatchObject({ source, substream });
    expect(JSON.parse(text)).toMatchObject({ priority: 5 });
    expect(`${made.text} ${text} ${JSON.stringify(log)}`).not.toMatch(/s3cret|abc/);
  });

  test.each([
    [{ priority: 10 }, 'priority'],
    [{ priority: -1 }, 'priority'],
    [{ priority: 2.5 }, 'priority'],
    [{ priority: 'high' }, 'priority'],
    [{ p95Ms: 0 }, 'p95Ms'],
    [{ p95Ms: 1e9 }, 'p95Ms'],
    [{ substream: '' }, 'substream'],
  ])('are refused with %j, and the field is named', async (change, field) => {
    const { call } = await anApi();
    const { status, text } = await call('POST', '/v1/cameras', { json: { source, ...change } });
    expect(status).toBe(400);
    expect(text).toContain(field);
    expect(text).not.toContain('s3cret');
  });

  test('are removed, and their results can be paged through', async () => {
    const { call, coordinator } = await anApi();
    const { id } = (await call('POST', '/v1/cameras', { json: { source: '/clips/people.webm' } })).json;
    const seen = { schema: 1, kind: 'empty', pipeline: 'noop' } as const;
    for (let i = 0; i < 3; i++) coordinator.sees(id, seen);
    const first = await call('GET', `/v1/cameras/${id}/results?limit=2`);
    expect(first.json.items.map(({ report }: { report: number }) => report)).toEqual([3, 2]);
    const second = await call('GET', `/v1/cameras/${id}/results?limit=2&cursor=${first.json.nextCursor}`);
    expect(second.json.items.map(({ report }: { report: number }) => report)).toEqual([1]);
    expect((await call('DELETE', `/v1/cameras/${id}`)).status).toBe(204);
    expect((await call('GET', `/v1/cameras/${id}`)).status).toBe(404);
  });

  test('give each result by its id, with its proof', async () => {
    const { call, coordinator } = await anApi();
    const { id } = (await call('POST', '/v1/cameras', { json: { source: '/clips/people.webm' } })).json;
    for (let i = 0; i < 3; i++) coordinator.sees(id, { schema: 1, kind: 'empty', pipeline: 'noop' });
    const { items } = (await call('GET', `/v1/cameras/${id}/results`)).json;
    const [, middle] = items;
    const url = `/v1/cameras/${id}/results/${middle.id}`;
    expect((await call('GET', url)).json).toEqual(middle);
    const proof = await call('GET', `${url}/bundle`);
    expect(verifyBundle(proof.bytes).statement.predicate.work).toEqual({ camera: id, report: 2 });
    expect(proof.headers['content-disposition']).toContain(`${middle.id}.proof.json`);
    for (const path of ['', '/bundle']) {
      const none = await call('GET', `/v1/cameras/${id}/results/res_0${path}`);
      expect(none.json).toMatchObject({ status: 404, code: 'not-found' });
    }
  });
});

describe('blobs', () => {
  const text = { 'content-type': 'text/html' };

  test('are stored and read back whole, in ranges, and not at all when the caller has them', async () => {
    const { call } = await anApi();
    const made = await call('POST', '/v1/blobs', { body: 'hello world', headers: text });
    const url = `/v1/blobs/${made.json.digest}`;
    expect([made.status, made.headers['location']]).toEqual([201, url]);
    const whole = await call('GET', url);
    expect([whole.status, whole.text]).toEqual([200, 'hello world']);
    const part = await call('GET', url, { headers: { range: 'bytes=6-' } });
    expect([part.status, part.text, part.headers['content-range']]).toEqual([206, 'world', 'bytes 6-10/11']);
    expect((await call('GET', url, { headers: { 'if-none-match': String(whole.headers['etag']) } })).status).toBe(304);
    const head = await call('HEAD', url);
    expect([head.status, head.text, head.headers['content-length']]).toEqual([200, '', '11']);
  });

  test('are saved by a browser, never run as a page of ours', async () => {
    const { call } = await anApi();
    const { digest } = (await call('POST', '/v1/blobs', { body: '<script>1</script>', headers: text })).json;
    const { headers } = await call('GET', `/v1/blobs/${digest}`);
    expect(headers).toMatchObject({ 'content-disposition': 'attachment', 'x-content-type-options': 'nosniff' });
    expect(headers['content-security-policy']).toContain('sandbox');
  });

  test('by digest are stored when they fit it', async () => {
    const { call } = await anApi();
    const digest = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    expect((await call('PUT', `/v1/blobs/${digest}`, { body: 'hello', headers: text })).status).toBe(201);
    expect((await call('PUT', `/v1/blobs/${digest}`, { body: 'hello', headers: text })).status).toBe(200);
    const wrong = await call('PUT', `/v1/blobs/${'0'.repeat(64)}`, { body: 'hello', headers: text });
    expect(wrong.json).toMatchObject({ status: 409, facts: { digest } });
    expect((await call('PUT', '/v1/blobs/abc', { body: 'hello', headers: text })).json.facts).toEqual({
      field: 'digest',
    });
  });

  test('over the limit, past the end or not there are problems', async () => {
    const { call } = await anApi({ uploadLimitBytes: 10 });
    expect((await call('POST', '/v1/blobs', { body: 'x'.repeat(11), headers: text })).json.status).toBe(413);
    const { digest } = (await call('POST', '/v1/blobs', { body: 'short', headers: text })).json;
    expect((await call('GET', `/v1/blobs/${digest}`, { headers: { range: 'bytes=9-' } })).json.status).toBe(400);
    expect((await call('GET', `/v1/blobs/${'0'.repeat(64)}`)).json.status).toBe(404);
  });
});

describe('the system', () => {
  test('is healthy with 200, and degraded with 503 and the same body', async () => {
    const { call, coordinator } = await anApi();
    expect((await call('GET', '/v1/health')).json).toMatchObject({ status: 'ok', devices: { online: 1 } });
    coordinator.setHealth('degraded');
    const degraded = await call('GET', '/v1/health');
    expect(degraded.status).toBe(503);
    expect(degraded.json.checks.store).toEqual({ ok: false, detail: 'the disk is full' });
  });

  test('says who it is', async () => {
    const { call, coordinator } = await anApi();
    const { json } = await call('GET', '/v1/version');
    expect(json).toEqual({ version: '1.2.3', api: 'v1', coordinator: coordinator.identity.id });
  });
});

describe('a defect', () => {
  test('is logged whole, and told without its text or its stack', async () => {
    const coordinator = aCoordinator();
    coordinator.devices.list = () => {
      throw new TypeError('the password is hunter2');
    };
    const { call, log } = await anApi({}, { coordinator });
    const answer = await call('GET', '/v1/devices');
    expect(answer.json).toMatchObject({ status: 500, type: 'urn:shoal:error:defect' });
    expect(answer.text).not.toMatch(/hunter2|TypeError|\.ts/);
    expect(log).toMatchObject([{ level: 'error', fields: { route: '/v1/devices', error: 'the password is hunter2' } }]);
  });

  test('of the environment says what to do and that it may be tried again', async () => {
    const coordinator = aCoordinator();
    coordinator.blobs.put = async () => {
      throw new ShoalError('io.disk-full', 'no space is left in the data folder');
    };
    const { call } = await anApi({}, { coordinator });
    const answer = await call('POST', '/v1/blobs', { body: 'x', headers: { 'content-type': 'text/plain' } });
    expect(answer.json).toMatchObject({ status: 507, retryable: true, detail: 'no space is left in the data folder' });
    expect(answer.headers['retry-after']).toBe('1');
  });
});

test('a path, a method or a URL that is not there is a problem that says where to look', async () => {
  const { call } = await anApi();
  for (const [method, url] of [
    ['GET', '/v2/tasks'],
    ['PATCH', '/v1/tasks'],
    ['GET', '/v1/tasks/%zz'],
    ['GET', `/v1/tasks/${'x'.repeat(300)}`],
  ] as const) {
    const answer = await call(method, url);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect([400, 404]).toContain(answer.status);
    expect(answer.json.instance).toBe(url);
  }
});
