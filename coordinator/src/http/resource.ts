import type { FastifyPluginAsyncTypebox, TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Clock, Logger, Random } from '@shoal/protocol';
import type { FastifyInstance } from 'fastify';
import type { Coordinator } from '../domain/index.ts';
import type { Metrics } from '../metrics/index.ts';
import type { KeyCheck } from './api-keys.ts';
import type { Doors } from './authentication.ts';
import type { OpenRequests } from './open-requests.ts';
import type { Page } from './page.ts';
import type { Sessions } from './sessions.ts';

export interface HttpDeps {
  readonly coordinator: Coordinator;
  readonly keys: KeyCheck;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly fetchInput: FetchInput;
  /** Left out: it was not built. */
  readonly page?: Page | undefined;
}

/** Fetches an input that a caller named by URL. @throws `input.invalid`, `input.too-large`, `auth.forbidden`, `net.unreachable`, `timeout` */
export type FetchInput = (url: string, signal: AbortSignal) => Promise<FetchedInput>;

export interface FetchedInput {
  readonly content: AsyncIterable<Uint8Array>;
  readonly mediaType: string;
}

export interface HttpOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** How many ports after `port` are tried when it is taken. */
  readonly portSearch: number;
  /** Programs on this machine need no key. */
  readonly insecureLoopback: boolean;
  /** Largest upload, bytes. */
  readonly uploadLimitBytes: number;
  /** Version of Shoal. */
  readonly version: string;
}

/** What a resource is built from. `waits` end when the server stops, `streams` as soon as it drains. */
export interface ResourceContext extends HttpDeps {
  readonly options: HttpOptions;
  readonly sessions: Sessions;
  readonly doors: Doors;
  readonly waits: OpenRequests;
  readonly streams: OpenRequests;
}

export type Api = FastifyInstance<never, never, never, never, TypeBoxTypeProvider>;

export type Resource = (context: ResourceContext) => FastifyPluginAsyncTypebox;
