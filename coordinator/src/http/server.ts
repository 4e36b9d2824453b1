import type { Duplex } from 'node:stream';
import multipart from '@fastify/multipart';
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { type Service, ShoalError } from '@shoal/protocol';
import Fastify, { type FastifyInstance } from 'fastify';
import { authenticate, type Doors } from './authentication.ts';
import { notFound, sendProblem, toProblem, toShoalError } from './error-handling.ts';
import { OpenRequests } from './open-requests.ts';
import { addOpenApi } from './openapi.ts';
import { servePage } from './page.ts';
import type { HttpDeps, HttpOptions } from './resource.ts';
import { resources } from './resources/index.ts';
import { Sessions } from './sessions.ts';
import {
  Camera,
  CameraRequest,
  Device,
  DeviceState,
  DiscoverRequest,
  Event,
  FoundCamera,
  Problem,
  problemMediaType,
  Result,
  Task,
  TaskPlacement,
  TaskRequest,
  Webhook,
  WebhookRequest,
} from './views/index.ts';

/** JSON bodies are small; bytes go through uploads, which have a limit of their own. */
const jsonLimitBytes = 1 << 20;
const openPaths = /^\/(docs(\/.*)?|assets\/\*|icon\.svg|v1\/(version|health|session))?$/;

/** The REST API as a service. `inject` calls it without a socket. */
export interface HttpServer extends Service {
  /** `http://host:port`, once started. */
  readonly url: string;
  readonly app: FastifyInstance;
  /** Requests that wait for something, and open event streams. */
  readonly inHand: () => { readonly waits: number; readonly streams: number };
}

export async function createHttpServer(deps: HttpDeps, options: HttpOptions): Promise<HttpServer> {
  const waits = new OpenRequests();
  const streams = new OpenRequests();
  const sessions = new Sessions(deps);
  const doors: Doors = { keys: deps.keys, sessions, insecureLoopback: options.insecureLoopback };
  let url = '';
  let closed: Promise<void> | undefined;
  const app = await buildApp({
    ...deps,
    options,
    sessions,
    doors,
    waits,
    streams,
    isClosing: () => closed !== undefined,
  });
  const unused = trackUnused(app);
  const close = () => {
    if (closed !== undefined) return closed;
    closed = app.close();
    // Node does not count a connection as idle that has not carried a request yet, and would wait for one.
    for (const socket of unused) socket.destroy();
    return closed;
  };
  return {
    name: 'http',
    app,
    inHand: () => ({ waits: waits.size, streams: streams.size }),
    get url() {
      return url;
    },
    async start(signal) {
      signal.throwIfAborted();
      url = await listen(app, options);
    },
    // No new connections; requests in hand go on, streams end, idle keep-alive sockets are closed.
    async drain() {
      streams.abortAll();
      await close();
    },
    async stop() {
      streams.abortAll();
      waits.abortAll();
      const closing = close();
      const cancel = deps.clock.after('http/close-connections', 1_000, () => app.server.closeAllConnections());
      await closing.finally(cancel);
    },
  };
}

type Context = HttpDeps & {
  readonly options: HttpOptions;
  readonly sessions: Sessions;
  readonly doors: Doors;
  readonly waits: OpenRequests;
  readonly streams: OpenRequests;
  readonly isClosing: () => boolean;
};

async function buildApp(context: Context): Promise<FastifyInstance> {
  const { doors, logger, metrics, options } = context;
  const app = Fastify({
    logger: false,
    bodyLimit: jsonLimitBytes,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    requestTimeout: 0,
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, logger),
    clientErrorHandler: (error, socket) => {
      const problem = toProblem(new ShoalError('input.invalid', 'the request is not HTTP'), '/');
      const body = JSON.stringify(problem);
      const head = `HTTP/1.1 400 Bad Request\r\nContent-Type: ${problemMediaType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
      if (socket.writable && (error as NodeJS.ErrnoException).code !== 'ECONNRESET') socket.end(head + body);
      else socket.destroy();
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  // Forms are parsed and checked by their handler; headers are text and need no conversion.
  app.setValidatorCompiler(({ schema, httpPart, contentType, ...rest }) => {
    if (contentType !== undefined && contentType !== 'application/json') return () => true;
    const part = httpPart === 'headers' ? 'body' : httpPart;
    return TypeBoxValidatorCompiler({ schema: schema as never, httpPart: part, ...rest } as never);
  });
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, logger));
  app.setNotFoundHandler((request, reply) => sendProblem(notFound(request), request, reply, logger));
  app.addHook('onRequest', (request, reply, done) => {
    if (openPaths.test(request.routeOptions.url ?? '')) return done();
    try {
      authenticate(request, doors);
      done();
    } catch (error) {
      void sendProblem(toShoalError(error), request, reply, logger);
    }
  });
  app.addHook('onResponse', (request, reply, done) => {
    metrics.observeRequest(
      request.method,
      request.routeOptions.url ?? 'none',
      reply.statusCode,
      reply.elapsedTime / 1000,
    );
    // A connection that stays open after its last answer would hold up the close.
    if (context.isClosing()) context.clock.soon('http/close-idle', () => app.server.closeIdleConnections());
    done();
  });

  for (const { definition } of [
    Problem,
    Device,
    DeviceState,
    Camera,
    CameraRequest,
    DiscoverRequest,
    FoundCamera,
    Event,
    Result,
    Task,
    TaskPlacement,
    TaskRequest,
    Webhook,
    WebhookRequest,
  ]) {
    app.addSchema(definition);
  }
  await app.register(multipart, {
    limits: {
      fileSize: options.uploadLimitBytes,
      files: 1,
      fields: 20,
      fieldSize: 64 * 1024,
      parts: 21,
      headerPairs: 100,
    },
  });
  await addOpenApi(app as unknown as FastifyInstance, options.version);
  servePage(app as unknown as FastifyInstance, context.page);
  for (const resource of resources) await app.register(resource(context));
  await app.ready();
  return app as unknown as FastifyInstance;
}

/** The connections on which no request has come so far: browsers and HTTP clients open some in advance. */
function trackUnused(app: FastifyInstance): ReadonlySet<Duplex> {
  const unused = new Set<Duplex>();
  app.server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }) => unused.delete(socket));
  return unused;
}

/** @throws `conflict` when every port that may be used is taken, with how to choose another. */
async function listen(app: FastifyInstance, { host, port, portSearch }: HttpOptions): Promise<string> {
  for (let tried = 0; ; tried++) {
    try {
      const listening: Promise<string> = app.listen({ host, port: port === 0 ? 0 : port + tried });
      await listening;
      return listeningAt(app, host);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw thrown;
      if (code === 'EADDRINUSE' && tried < portSearch && port !== 0) continue;
      const why = code === 'EACCES' ? 'may not be used by you' : 'is taken';
      throw new ShoalError(
        code === 'EACCES' ? 'io.failed' : 'conflict',
        `HTTP port ${port} on ${host} ${why}; choose another with --http-port (0 = any free)`,
        { port, host },
        { cause: thrown },
      );
    }
  }
}

function listeningAt(app: FastifyInstance, host: string): string {
  const address = app.server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}
