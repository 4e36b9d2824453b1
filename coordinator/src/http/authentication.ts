import { ShoalError } from '@shoal/protocol';
import type { FastifyRequest } from 'fastify';
import type { KeyCheck } from './api-keys.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The camera that `id` names may call it with its own key. */
    readonly sentByCamera?: true;
  }
}

const bearer = /^Bearer +([\x21-\x7e]+) *$/i;
const mostKeyLength = 256;

/**
 * Lets a request in that carries a known key (RFC 6750 §2.1: only in the header; a key in a URL ends up in logs).
 * With `insecureLoopback`, programs on this machine need none, but pages of other sites in a browser on this machine do: they can
 * reach loopback too, under their own `Origin` or, by DNS rebinding, under their own `Host`.
 * @throws `auth.missing`, `auth.forbidden`
 */
export function authenticate(request: FastifyRequest, keys: KeyCheck, insecureLoopback: boolean): void {
  const { authorization } = request.headers;
  if (authorization === undefined && insecureLoopback && isLoopback(request.socket.remoteAddress)) {
    refuseOtherSites(request);
    return;
  }
  const key = bearer.exec(authorization ?? '')?.[1];
  if (key === undefined) {
    throw new ShoalError(
      'auth.missing',
      'send the API key as "Authorization: Bearer KEY"; the coordinator showed it at its first start',
    );
  }
  const camera = pushingCamera(request);
  const accepted = (word: string) => (camera === undefined ? keys.accepts(word) : keys.acceptsFrom(word, camera));
  if (key.length > mostKeyLength || !accepted(key))
    throw new ShoalError('auth.missing', 'the API key is not known here');
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
