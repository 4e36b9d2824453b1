import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ShoalError } from '@shoal/protocol';

/** Where a file comes from, taken apart. */
export type SourceLocation =
  | { readonly kind: 'npm'; readonly package: string; readonly version: string; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'web'; readonly url: URL };

const npmForm = /^npm:((?:@[a-z0-9._~-]+\/)?[a-z0-9._~-]+)@([0-9A-Za-z.+-]+)\/(.+)$/;

/**
 * @throws `input.invalid` for what is none of `npm:package@version/path`, `file:path`, `https://...`; plain `http:` is taken
 * from this machine only.
 */
export function parseSourceUrl(url: string): SourceLocation {
  if (url.startsWith('npm:')) return parseNpm(url);
  if (url.startsWith('file:')) return { kind: 'file', path: parseFile(url.slice('file:'.length)) };
  return { kind: 'web', url: parseWebUrl(url) };
}

/** @throws `input.invalid` unless it is `https:`, or `http:` on a loopback address. */
export function parseWebUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isLoopback(parsed.hostname))) return parsed;
  throw invalid(url, 'must be npm:package@version/path, file:path or https://... (http only on this machine)');
}

function parseNpm(url: string): SourceLocation {
  const [, name, version, path] = npmForm.exec(url) ?? [];
  const climbs = path?.split('/').some((part) => part === '..' || part === '.' || part === '');
  if (!name || !version || !path || climbs)
    throw invalid(url, 'must be npm:package@version/path, with an exact version');
  return { kind: 'npm', package: name, version, path };
}

/** `file:///absolute`, `file:/absolute` or `file:relative` (to the working folder). */
function parseFile(path: string): string {
  if (path === '') throw invalid('file:', 'names no file');
  if (path.startsWith('//')) {
    try {
      return fileURLToPath(`file:${path}`);
    } catch {
      throw invalid(`file:${path}`, 'is not a file on this machine');
    }
  }
  return isAbsolute(path) ? path : resolve(path);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function invalid(url: string, what: string): ShoalError {
  return new ShoalError('input.invalid', `the source ${url.slice(0, 200)} ${what}`, { field: 'url' });
}
