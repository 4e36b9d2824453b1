import { createLogger, type LogRecord, seededRandom } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { createHttpServer, type HttpDeps, type HttpOptions, type HttpServer, keyCheck } from '../../src/http/index.ts';
import { createMetrics } from '../../src/metrics/index.ts';
import { type ACoordinator, aCoordinator } from './a-coordinator.ts';

export const key = 'shoal_the-key-of-these-tests';

const defaults: HttpOptions = {
  host: '127.0.0.1',
  port: 0,
  portSearch: 0,
  insecureLoopback: false,
  uploadLimitBytes: 100_000,
  version: '1.2.3',
};

export interface AServer {
  readonly server: HttpServer;
  readonly coordinator: ACoordinator;
  readonly log: LogRecord[];
  /** As `app.inject`: without a key. */
  inject(options: InjectOptions): Promise<LightMyRequestResponse>;
  /** Calls the API in-process, with the key. */
  call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD',
    url: string,
    options?: CallOptions,
  ): Promise<Answer>;
}

export interface CallOptions {
  readonly json?: unknown;
  readonly body?: Buffer | string;
  readonly headers?: Record<string, string>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: the answer's shape is what the test is about
  readonly json: any;
}

type Deps = Partial<HttpDeps> & { readonly coordinator?: ACoordinator };

/** A server of its own: to be started, drained and stopped. To build one takes a third of a second of a processor. */
export async function aServer(options: Partial<HttpOptions> = {}, deps: Deps = {}): Promise<AServer> {
  const parts = partsOf(deps);
  const server = await createHttpServer(parts, { ...defaults, ...options });
  return { server, ...parts, ...callsTo(server) };
}

/** What routes stand on, in parts of which every test has new ones. */
function partsOf(deps: Deps) {
  const log: LogRecord[] = [];
  const coordinator = deps.coordinator ?? aCoordinator();
  return {
    keys: keyCheck(coordinator.apiKeys, key),
    metrics: createMetrics(coordinator, defaults.version),
    clock: systemClock,
    random: seededRandom(1),
    logger: createLogger((record) => log.push(record), 'debug'),
    fetchInput: async () => {
      throw new Error('not wanted here');
    },
    ...deps,
    coordinator,
    log,
  };
}

interface Shared {
  readonly server: HttpServer;
  /** The parts of the test that runs. */
  parts: HttpDeps;
}

const shared = new Map<string, Promise<Shared>>();

/**
 * The API for calls in-process. The routes are built once for all tests that ask for the same options; the coordinator under them, its keys,
 * metrics and log are those of the last call of this function.
 */
export async function anApi(options: Partial<HttpOptions> = {}, deps: Deps = {}): Promise<Omit<AServer, 'server'>> {
  const parts = partsOf(deps);
  const name = JSON.stringify(options);
  if (!shared.has(name)) shared.set(name, build(options, parts));
  const api = (await shared.get(name)) as Shared;
  api.parts = parts;
  return { ...parts, ...callsTo(api.server) };
}

async function build(options: Partial<HttpOptions>, first: HttpDeps): Promise<Shared> {
  const current = { parts: first };
  const server = await createHttpServer(
    {
      coordinator: standsFor(() => current.parts.coordinator),
      keys: standsFor(() => current.parts.keys),
      metrics: standsFor(() => current.parts.metrics),
      clock: standsFor(() => current.parts.clock),
      random: standsFor(() => current.parts.random),
      logger: standsFor(() => current.parts.logger),
      fetchInput: (url, signal) => current.parts.fetchInput(url, signal),
    },
    { ...defaults, ...options },
  );
  return Object.assign(current, { server });
}

function standsFor<T extends object>(part: () => T): T {
  return new Proxy({} as T, { get: (_nothing, name) => Reflect.get(part(), name) });
}

function callsTo({ app }: HttpServer): Pick<AServer, 'call' | 'inject'> {
  const call: AServer['call'] = async (method, url, { json, body, headers } = {}) => {
    const called: Promise<LightMyRequestResponse> = app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${key}`,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json === undefined ? {} : { payload: JSON.stringify(json) }),
      ...(body === undefined ? {} : { payload: body }),
    });
    const answer = await called;
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      bytes: answer.rawPayload,
      json:
        answer.body !== '' && /json/.test(String(answer.headers['content-type'])) ? JSON.parse(answer.body) : undefined,
    };
  };
  const inject: AServer['inject'] = (injected) => app.inject(injected);
  return { call, inject };
}

/** A form as a browser or curl sends it. */
export function form(
  fields: Readonly<Record<string, string>>,
  file?: { content: Buffer; type: string; field?: string },
) {
  const boundary = 'shoal-test-boundary';
  const parts = Object.entries(fields).map(([name, value]) =>
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
  );
  if (file) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${file.field ?? 'file'}"; filename="a.jpg"\r\nContent-Type: ${file.type}\r\n\r\n`;
    parts.unshift(Buffer.concat([Buffer.from(head), file.content, Buffer.from('\r\n')]));
  }
  return {
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}
