import { fromUtf8, isErrorCode, redactSource, utf8 } from '@shoal/protocol';
import type { FuzzTarget } from '@shoal/protocol/testing';
import { createMetrics } from '../../src/metrics/index.ts';
import { type AServer, anApi } from '../http/a-server.ts';
import { World } from '../support/world.ts';

/** A call of the API, as the fuzzer changes it. */
interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Instead of `json`. */
  readonly body?: string;
}

const camera = {
  name: 'porch',
  source: 'rtsp://user:secret-word@10.0.0.9/stream',
  pipeline: 'detect',
  targetFps: 5,
  parameters: { minScore: 0.4 },
  labels: { site: 'home' },
};
const form = [
  '--b\r\nContent-Disposition: form-data; name="pipeline"\r\n\r\ndetect\r\n',
  '--b\r\nContent-Disposition: form-data; name="labels"\r\n\r\n{"site":"barn"}\r\n',
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\nbytes\r\n--b--\r\n',
];
const device = `dev_${'a'.repeat(26)}`;
const calls: readonly Call[] = [
  {
    method: 'POST',
    url: '/v1/tasks',
    json: { pipeline: 'noop', deadlineMs: 5_000, labels: { site: 'x' }, parameters: { a: [1] }, maxAttempts: 2 },
    headers: { 'idempotency-key': 'a-key' },
  },
  { method: 'POST', url: '/v1/tasks', json: { pipeline: 'detect', input: { blob: 'a'.repeat(64) }, objects: 'few' } },
  {
    method: 'POST',
    url: '/v1/tasks?wait=0',
    body: form.join(''),
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  },
  { method: 'GET', url: '/v1/tasks?state=queued&limit=5&cursor=abc' },
  { method: 'GET', url: '/v1/tasks/tsk_00000000000000000000000000/placement' },
  { method: 'DELETE', url: '/v1/tasks/tsk_1' },
  { method: 'POST', url: '/v1/tasks', body: '{"pipeline":"noop"}', headers: { 'content-type': 'text/plain' } },
  { method: 'POST', url: '/v1/cameras', json: camera },
  {
    method: 'POST',
    url: '/v1/cameras',
    json: { ...camera, p95Ms: 300, priority: 5, substream: camera.source, loop: true, device },
  },
  { method: 'PUT', url: '/v1/cameras/cam_1', json: camera },
  { method: 'GET', url: '/v1/cameras/cam_1/results?limit=5' },
  { method: 'POST', url: '/v1/tokens', json: { uses: 2, expiresInMs: 60_000, labels: { site: 'home' } } },
  { method: 'PATCH', url: `/v1/devices/${device}`, json: { name: 'porch', labels: { a: 'b' }, draining: true } },
  { method: 'POST', url: '/v1/keys', json: { name: 'laptop' } },
  {
    method: 'POST',
    url: '/v1/webhooks',
    json: { url: 'https://example.org/a?b=c', types: ['event.started'], label: 'person', zone: 'door', picture: true },
  },
  { method: 'POST', url: '/v1/webhooks/whk_1/test' },
  { method: 'POST', url: '/v1/blobs', body: 'bytes', headers: { 'content-type': 'image/jpeg' } },
  { method: 'GET', url: `/v1/blobs/${'a'.repeat(64)}`, headers: { range: 'bytes=0-9' } },
  { method: 'GET', url: '/v1/devices' },
];

/** So many calls reach the same coordinator; then a new one takes its place, so that what they left does not add up. */
const callsEach = 100;

interface Api extends Pick<AServer, 'call' | 'log'> {
  readonly world: World;
  left: number;
}

let api: Api | undefined;

async function apiOf(): Promise<Api> {
  if (api && api.left-- > 0) return api;
  if (api) await api.world.clock.until(api.world.coordinator.stop());
  const world = await new World({ seed: 7 }).start();
  const { coordinator } = world;
  const parts = { coordinator, clock: world.clock, metrics: createMetrics(coordinator, '1') };
  api = { ...(await anApi({}, parts as never)), world, left: callsEach };
  return api;
}

function callOf(bytes: Uint8Array): Call | undefined {
  try {
    const { method, url, headers, json, body } = JSON.parse(fromUtf8(bytes)) as Partial<Call>;
    // What is no request at all never leaves its sender.
    if (typeof method !== 'string' || typeof url !== 'string') return undefined;
    if (!/^(GET|POST|PUT|PATCH|DELETE|HEAD)$/.test(method) || !/^\/[\x21-\x7e]*$/.test(url)) return undefined;
    // A stream of events has no end, and what is nested without end cannot be written.
    if (/events/.test(url) || JSON.stringify(json)?.length === 0) return undefined;
    return { method, url, headers: headersOf(headers), ...(body === undefined ? { json } : { body: String(body) }) };
  } catch {
    return undefined;
  }
}

function headersOf(headers: unknown): Record<string, string> {
  const said = Object.entries(Object(headers)).filter(
    ([name, value]) => /^[a-z-]+$/.test(name) && typeof value === 'string' && /^[\x20-\x7e]*$/.test(value),
  );
  // Those that say how the bytes are cut are written by the client, not by its user.
  return Object.fromEntries(
    said.filter(([name]) => !/^(content-length|transfer-encoding|host|expect)$/.test(name)),
  ) as Record<string, string>;
}

/** An answer that says what is wrong, and never that we failed. */
async function ask(bytes: Uint8Array): Promise<void> {
  const asked = callOf(bytes);
  if (!asked) return;
  const { call, world, log } = await apiOf();
  const { method, url, headers = {}, json, body } = asked;
  const answered = call(method as 'GET', url, { headers, ...(body === undefined ? { json } : { body }) });
  const { status, text, json: answer } = await world.clock.until(answered, 120_000);
  if (status === 500 || status === 502) throw new Error(`${method} ${status}: ${JSON.stringify(log.at(-1))}`);
  if (status >= 400 && method !== 'HEAD' && !isErrorCode(String(answer?.code)))
    throw new Error(`${status}: ${text.slice(0, 200)}`);
  for (const source of [answer?.source, answer?.substream])
    if (typeof source === 'string' && redactSource(source) !== source)
      throw new Error('the password of a camera is shown');
}

export const restTarget: FuzzTarget = {
  name: 'request to the REST API',
  form: 'json',
  samples: calls.map((each) => utf8(JSON.stringify(each))),
  refuses: [],
  cost: 100,
  take: ask,
};
