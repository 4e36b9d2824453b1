import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** One file of the page, as it was built. */
export interface PageFile {
  readonly mediaType: string;
  readonly etag: string;
  /** Named by its content: a browser need never ask again. */
  readonly immutable: boolean;
  readonly bytes: Buffer;
  /** The same, compressed when the page was built; left out where that is not smaller. */
  readonly br?: Buffer;
  readonly gzip?: Buffer;
}

/** The built page: files by their path from the root, `/` among them. */
export type Page = ReadonlyMap<string, PageFile>;

/** Nothing comes from elsewhere, nothing inline runs, nobody may frame it. Pictures are drawn from bytes that the page itself fetched. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const securityHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
};

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shoal</title>
<h1>The page is not built here</h1>
<p>In the folder of Shoal run <code>npm run prepare:all</code>, then start the coordinator again. The REST API works without it: <a href="/docs">/docs</a>.</p>
`;

/** Answers at `/` and `/assets` with the page. `undefined`: it was not built, and `/` says how it is. */
export function servePage(app: FastifyInstance, page: Page | undefined): void {
  const answer = (request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?', 1)[0] ?? '/';
    const file = page?.get(path);
    reply.headers(securityHeaders);
    if (file) return sendFile(request, reply, file);
    if (path === '/') return reply.code(503).header('cache-control', 'no-store').type('text/html').send(notBuilt);
    return reply.callNotFound();
  };
  for (const url of ['/', '/icon.svg', '/assets/*']) app.get(url, { schema: { hide: true } }, answer);
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply {
  reply
    .header('etag', file.etag)
    .header('vary', 'accept-encoding')
    .header('cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (request.headers['if-none-match']?.includes(file.etag)) return reply.code(304).send();
  const accepted = request.headers['accept-encoding'] ?? '';
  const encoding = (['br', 'gzip'] as const).find((one) => file[one] && accepts(accepted, one));
  if (encoding) reply.header('content-encoding', encoding);
  return reply.type(file.mediaType).send(encoding ? file[encoding] : file.bytes);
}

/** RFC 9110 §12.5.3, without weighing: what is named and not refused is taken. */
function accepts(header: string, encoding: string): boolean {
  return header.split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
