import { verifyBundle } from '@shoal/protocol';
import { describe, expect, test } from 'vitest';
import { aCoordinator } from './a-coordinator.ts';
import { anApi, form } from './a-server.ts';

const jpeg = { content: Buffer.from('not really a picture'), type: 'image/jpeg' };
const dog = {
  schema: 1,
  kind: 'detections',
  pipeline: 'detect',
  picture: { width: 768, height: 576 },
  detections: [{ label: 'dog', score: 0.92, box: { x: 1, y: 2, width: 30, height: 40 } }],
} as const;

describe('submitting', () => {
  test('JSON answers 202 with where to ask', async () => {
    const { call } = await anApi();
    const answer = await call('POST', '/v1/tasks', { json: { pipeline: 'noop' } });
    expect(answer.status).toBe(202);
    expect(answer.headers['location']).toBe(`/v1/tasks/${answer.json.id}`);
    expect(answer.json).toMatchObject({ state: 'queued', pipeline: 'noop', deadlineMs: 60_000, maxAttempts: 3 });
    expect((await call('GET', `/v1/tasks/${answer.json.id}`)).json.id).toBe(answer.json.id);
  });

  test('with wait answers 200 with the finished task and its result', async () => {
    const { call } = await anApi({}, { coordinator: aCoordinator({ finishAtOnce: true }) });
    const answer = await call('POST', '/v1/tasks?wait=5000', { json: { pipeline: 'noop' } });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ state: 'succeeded', result: { analysis: { kind: 'empty' } } });
  });

  test('with wait answers 202 when the time is over first', async () => {
    const { call } = await anApi();
    const answer = await call('POST', '/v1/tasks?wait=10', { json: { pipeline: 'noop' } });
    expect([answer.status, answer.json.state]).toEqual([202, 'queued']);
  });

  test('a form stores the file and takes every option', async () => {
    const { call, coordinator } = await anApi();
    const fields = {
      pipeline: 'detect',
      model: 'm',
      maxAttempts: '2',
      accuracyLoss: '0.05',
      objects: 'few',
      critical: 'true',
      accelerator: 'false',
      parameters: '{"minScore":0.5}',
      labels: '{"site":"barn"}',
    };
    const { json } = await call('POST', '/v1/tasks', form(fields, jpeg));
    expect(json).toMatchObject({ model: 'm', maxAttempts: 2, parameters: { minScore: 0.5 }, labels: { site: 'barn' } });
    expect(json).toMatchObject({ accuracyLoss: 0.05, objects: 'few', critical: true, accelerator: false });
    expect(json.input).toMatchObject({ sizeBytes: jpeg.content.length, mediaType: 'image/jpeg' });
    expect(Buffer.from(await coordinator.blobs.read(json.input.digest))).toEqual(jpeg.content);
  });

  test('a blob by digest is used; one that is not there is a problem that names it', async () => {
    const { call } = await anApi();
    const { digest } = (await call('POST', '/v1/blobs', { body: 'bytes', headers: { 'content-type': 'image/png' } }))
      .json;
    const used = await call('POST', '/v1/tasks', { json: { input: { blob: digest } } });
    expect(used.json.input).toEqual({ digest, sizeBytes: 5, mediaType: 'image/png' });
    const missing = await call('POST', '/v1/tasks', { json: { input: { blob: '0'.repeat(64) } } });
    expect(missing.json).toMatchObject({ status: 404, facts: { field: 'input/blob' } });
  });

  test('a URL is fetched through the port, and its failure is the answer', async () => {
    const fetched = async function* () {
      yield Buffer.from('from afar');
    };
    const { call } = await anApi({}, { fetchInput: async () => ({ content: fetched(), mediaType: 'image/webp' }) });
    const answer = await call('POST', '/v1/tasks', { json: { input: { url: 'https://example.org/a.webp' } } });
    expect(answer.json.input).toMatchObject({ sizeBytes: 9, mediaType: 'image/webp' });
  });

  test('the same idempotency key gives the first task, and a conflict for another one', async () => {
    const { call } = await anApi();
    const headers = { 'idempotency-key': 'order-1' };
    const first = await call('POST', '/v1/tasks', { json: { pipeline: 'noop' }, headers });
    const again = await call('POST', '/v1/tasks', { json: { pipeline: 'noop' }, headers });
    expect(again.json.id).toBe(first.json.id);
    const other = await call('POST', '/v1/tasks', { json: { pipeline: 'noop', maxAttempts: 1 }, headers });
    expect([other.status, other.json.type]).toEqual([409, 'urn:shoal:error:conflict']);
  });
});

describe('what is wrong is named:', () => {
  test.each([
    ['a field that is not there', { pipelin: 'noop' }, 'pipelin'],
    ['a wrong type', { deadlineMs: 'soon' }, 'deadlineMs'],
    ['a number as text, which JSON can say better', { maxAttempts: '3' }, 'maxAttempts'],
    ['a value out of range', { maxAttempts: 0 }, 'maxAttempts'],
    ['no input where one is needed', { pipeline: 'detect' }, 'input'],
    ['a label that is no text', { labels: { site: 7 } }, 'labels/site'],
    ['a digest that is none', { input: { blob: 'abc' } }, 'input/blob'],
  ])('%s', async (_what, json, field) => {
    const { call } = await anApi();
    const answer = await call('POST', '/v1/tasks', { json });
    expect(answer.json).toMatchObject({ status: 400, type: 'urn:shoal:error:input.invalid', facts: { field } });
    expect(answer.json.detail).toContain(field);
  });

  test.each([
    ['a file in another field', {}, { ...jpeg, field: 'picture' }, 'picture'],
    ['a field that is not there', { colour: 'red' }, jpeg, 'colour'],
    ['a number that is none', { maxAttempts: 'many' }, jpeg, 'maxAttempts'],
    ['an object that is no JSON', { parameters: '{' }, jpeg, 'parameters'],
    ['file and blob at once', { blob: '0'.repeat(64) }, jpeg, 'blob'],
  ])('in a form, %s', async (_what, fields, file, field) => {
    const { call } = await anApi();
    const answer = await call('POST', '/v1/tasks', form(fields as Record<string, string>, file));
    expect(answer.json).toMatchObject({ status: 400, facts: { field } });
  });

  test('an upload over the limit, and an empty one', async () => {
    const { call } = await anApi({ uploadLimitBytes: 1_000 });
    const huge = await call('POST', '/v1/tasks', form({}, { ...jpeg, content: Buffer.alloc(1_001) }));
    expect(huge.json).toMatchObject({ status: 413, type: 'urn:shoal:error:input.too-large' });
    const empty = await call('POST', '/v1/tasks', form({}, { ...jpeg, content: Buffer.alloc(0) }));
    expect(empty.json).toMatchObject({ status: 422, type: 'urn:shoal:error:input.corrupt' });
  });

  test('a form that is cut off', async () => {
    const { call } = await anApi();
    const whole = form({}, jpeg);
    const answer = await call('POST', '/v1/tasks', { ...whole, body: whole.body.subarray(0, -30) });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.headers['content-type']).toMatch('application/problem+json');
    expect(answer.status).toBeLessThan(500);
  });

  test('a form that does not say how its parts are told apart', async () => {
    const { call } = await anApi();
    const answer = await call('POST', '/v1/tasks', { body: 'x', headers: { 'content-type': 'multipart/form-data' } });
    expect(answer.json).toMatchObject({ status: 422, code: 'input.corrupt' });
  });

  test('JSON that is none, too large, or called something else', async () => {
    const { call } = await anApi();
    const json = { 'content-type': 'application/json' };
    expect((await call('POST', '/v1/tasks', { body: '{', headers: json })).json.status).toBe(400);
    expect((await call('POST', '/v1/tasks', { body: '', headers: json })).json.status).toBe(400);
    const huge = JSON.stringify({ pipeline: 'x'.repeat(2 << 20) });
    expect((await call('POST', '/v1/tasks', { body: huge, headers: json })).json.status).toBe(413);
    const xml = await call('POST', '/v1/tasks', { body: '<task/>', headers: { 'content-type': 'text/xml' } });
    expect(xml.json).toMatchObject({ status: 415, type: 'urn:shoal:error:input.unsupported' });
    const text = await call('POST', '/v1/tasks', {
      body: '{"pipeline":"noop"}',
      headers: { 'content-type': 'text/plain' },
    });
    expect(text.json).toMatchObject({ status: 415, code: 'input.unsupported' });
    expect((await call('POST', '/v1/tasks')).json).toMatchObject({ status: 415, code: 'input.unsupported' });
  });
});

describe('a task', () => {
  test('is listed page by page, newest first, and by state', async () => {
    const { call, coordinator } = await anApi();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift((await call('POST', '/v1/tasks', { json: { pipeline: 'noop' } })).json.id);
    coordinator.finish(ids[2] ?? '', dog);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await call('GET', `/v1/tasks?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...page.json.items.map(({ id }: { id: string }) => id));
      cursor = page.json.nextCursor;
    } while (cursor);
    expect(seen).toEqual(ids);
    const done = await call('GET', '/v1/tasks?state=succeeded');
    expect(done.json.items.map(({ id }: { id: string }) => id)).toEqual([ids[2]]);
    expect((await call('GET', '/v1/tasks?state=done')).json.facts).toEqual({ field: 'state' });
  });

  test('is cancelled once, and stays what it was when it had ended', async () => {
    const { call, coordinator } = await anApi();
    const { id } = (await call('POST', '/v1/tasks', { json: { pipeline: 'noop' } })).json;
    expect((await call('DELETE', `/v1/tasks/${id}`)).json.state).toBe('cancelled');
    const { id: other } = (await call('POST', '/v1/tasks', { json: { pipeline: 'noop' } })).json;
    coordinator.finish(other, dog);
    expect((await call('DELETE', `/v1/tasks/${other}`)).json.state).toBe('succeeded');
  });

  test('has a result, a proof that verifies, and the reasons for its place', async () => {
    const { call, coordinator } = await anApi();
    const { id } = (await call('POST', '/v1/tasks', { json: { pipeline: 'noop' } })).json;
    expect((await call('GET', `/v1/tasks/${id}/result`)).json.status).toBe(404);
    coordinator.finish(id, dog);
    const { result } = (await call('GET', `/v1/tasks/${id}`)).json;
    expect(result.analysis).toEqual(dog);
    expect((await call('GET', `/v1/tasks/${id}/result`)).json).toEqual(result);
    const proof = await call('GET', `/v1/tasks/${id}/result/bundle`);
    expect(verifyBundle(proof.bytes).statement.predicate.work).toMatchObject({ task: id });
    const { attempts } = (await call('GET', `/v1/tasks/${id}/placement`)).json;
    expect(attempts[0].summary).toBe('expected to be done in 12 ms, the only one that could take it');
    expect(attempts[0].placement).toMatchObject({ chosen: { totalMs: 12 }, refused: [{ reason: 'battery' }] });
  });

  test('that failed says why', async () => {
    const { call, coordinator } = await anApi();
    const { id } = (await call('POST', '/v1/tasks', { json: { pipeline: 'noop' } })).json;
    coordinator.finish(id, { state: 'failed', reason: 'the picture is cut off', errorCode: 'input.corrupt' });
    const answer = await call('GET', `/v1/tasks/${id}?wait=1000`);
    expect(answer.json).toMatchObject({
      state: 'failed',
      reason: 'the picture is cut off',
      errorCode: 'input.corrupt',
    });
    expect(answer.json.result).toBeUndefined();
  });

  test('that is not there is a problem wherever it is asked for', async () => {
    const { call } = await anApi();
    for (const path of ['', '/events', '/result', '/result/bundle', '/placement']) {
      expect((await call('GET', `/v1/tasks/tsk_0${path}`)).json).toMatchObject({ status: 404, code: 'not-found' });
    }
    expect((await call('DELETE', '/v1/tasks/tsk_0')).json.status).toBe(404);
  });
});
