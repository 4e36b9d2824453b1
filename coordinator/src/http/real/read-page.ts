import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '@shoal/protocol';
import type { Page, PageFile } from '../page.ts';

const mediaTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Beside the bundle where it is packed; in the workspace where it is built. */
const places = [join(import.meta.dirname, 'dashboard'), join(import.meta.dirname, '../../../dashboard/dist')];

/** The page into memory: less than a megabyte. `undefined` when it was not built. */
export function readPage(): Page | undefined {
  const folder = places.find((place) => existsSync(join(place, 'index.html')));
  if (folder === undefined) return undefined;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  return new Map(
    names.flatMap((name): [string, PageFile][] => {
      const mediaType = mediaTypes[name.split('.').at(-1) ?? ''];
      if (mediaType === undefined) return [];
      const bytes = readFileSync(join(folder, name));
      const compressed = (end: string) =>
        names.includes(name + end) ? readFileSync(join(folder, name + end)) : undefined;
      const [br, gzip] = [compressed('.br'), compressed('.gz')];
      const file: PageFile = {
        mediaType,
        etag: `"${sha256Hex(bytes).slice(0, 16)}"`,
        immutable: name.startsWith('assets/'),
        bytes,
        ...(br && { br }),
        ...(gzip && { gzip }),
      };
      return [[name === 'index.html' ? '/' : `/${name}`, file]];
    }),
  );
}
