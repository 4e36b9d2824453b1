import { redactSource } from '@shoal/protocol';

const longestUrl = 2_000;
const schemes = new Set(['rtsp:', 'rtsps:', 'http:', 'https:', 'coap:']);

/**
 * A URL that a stranger gave, if it leads to the very address that the stranger spoke from: without login and secrets, or `undefined`.
 */
export function ownUrl(text: string, address: string): string | undefined {
  if (text.length > longestUrl) return undefined;
  const url = URL.parse(text);
  if (!url || !schemes.has(url.protocol) || url.hostname !== address) return undefined;
  url.username = '';
  url.password = '';
  return redactSource(url.href);
}

/** The service of a device that may be called: plain HTTP, since no camera has a certificate that could be checked. */
export function ownService(text: string, address: string): boolean {
  return ownUrl(text, address) === text && text.startsWith('http://');
}

/** Whether two URLs are the same stream, whoever logs in. */
export function sameSource(one: string, other: string): boolean {
  const bare = ownUrl(other, hostOf(other) ?? '');
  return bare !== undefined && withPort(bare) === withPort(one);
}

export function hostOf(source: string): string | undefined {
  return URL.parse(source)?.hostname || undefined;
}

function withPort(text: string): string {
  const url = URL.parse(text);
  if (!url) return text;
  return `${url.protocol}//${url.hostname}:${url.port || (/^rtsp/.test(url.protocol) ? '554' : '')}${url.pathname}${url.search}`;
}
