import { ShoalError } from '@shoal/protocol';
import type { FastifyRequest } from 'fastify';
import type { KeyCheck } from './api-keys.ts';
import type { Sessions } from './sessions.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The camera that `id` names may call it with its own key. */
    readonly sentByCamera?: true;
  }
}

const bearer = /^Bearer +([\x21-\x7e]+) *$/i;
const mostKeyLength = 256;
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What lets a request in. */
export interface Doors {
  readonly keys: KeyCheck;
  readonly sessions: Sessions;
  /** Programs on this machine need no key. */
  readonly insecureLoopback: boolean;
}

/** By what a request was let in: a key, the cookie of a browser that showed one before, or that it comes from this machine. */
export type LetIn =
  | { readonly by: 'key'; readonly owner: string }
  | { readonly by: 'session' }
  | { readonly by: 'loopback' };

/**
 * Lets a request in that carries a known key (RFC 6750 §2.1: only in the header; a key in a URL ends up in logs), or the cookie of a session.
 * With `insecureLoopback`, programs on this machine need none, but pages of other sites in a browser on this machine do: they can
 * reach loopback too, under their own `Origin` or, by DNS rebinding, under their own `Host`.
 * @throws `auth.missing`, `auth.forbidden`
 */
export function authenticate(request: FastifyRequest, { keys, sessions, insecureLoopback }: Doors): LetIn {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    const session = sessions.ownerOf(request);
    if (session !== undefined && keys.isGood(session)) {
      refuseOtherOrigins(request);
      return { by: 'session' };
    }
    if (insecureLoopback && isLoopback(request.socket.remoteAddress)) {
      refuseOtherSites(request);
      return { by: 'loopback' };
    }
  }
  const key = bearer.exec(authorization ?? '')?.[1];
  if (key === undefined) {
    throw new ShoalError(
      'auth.missing',
      'send the API key as "Authorization: Bearer KEY"; the coordinator showed it at its first start',
    );
  }
  const camera = pushingCamera(request);
  const ownerOf = (word: string) =>
    camera === undefined ? keys.ownerOf(word) : keys.acceptsFrom(word, camera) ? camera : undefined;
  const owner = key.length > mostKeyLength ? undefined : ownerOf(key);
  if (owner === undefined) throw new ShoalError('auth.missing', 'the API key is not known here');
  return { by: 'key', owner };
}

/**
 * A cookie goes along with whatever a browser sends, also what a page on another port of the same host made it send: the browser says so itself.
 * `Sec-Fetch-Site` is there on HTTPS and on loopback; elsewhere `Origin` is, on every request that may change something.
 */
function refuseOtherOrigins({ method, headers }: FastifyRequest): void {
  const { origin, host = '' } = headers;
  const site = headers['sec-fetch-site'];
  const isOwn =
    site === undefined
      ? safeMethods.has(method) || (origin !== undefined && URL.parse(origin)?.host === host)
      : site === 'same-origin' || (site === 'none' && safeMethods.has(method));
  if (!isOwn) throw new ShoalError('auth.forbidden', 'a page of another site may not use the session of this one');
}

/** The camera that this request sends a picture of: such a one may come with a key that is good for nothing else. */
function pushingCamera({ routeOptions, params }: FastifyRequest): string | undefined {
  if (!routeOptions.config.sentByCamera) return undefined;
  return (params as { readonly id: string }).id;
}

function refuseOtherSites(request: FastifyRequest): void {
  const { host = '', origin } = request.headers;
  if (!isLoopbackName(hostName(`http://${host}`))) {
    throw new ShoalError('auth.forbidden', 'without an API key only requests to a loopback name are answered');
  }
  if (origin !== undefined && !isLoopbackName(hostName(origin))) {
    throw new ShoalError('auth.forbidden', 'without an API key no page of another site is answered');
  }
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(address);
}

function isLoopbackName(name: string | undefined): boolean {
  return name !== undefined && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(name);
}

function hostName(url: string): string | undefined {
  return URL.parse(url)?.hostname;
}
