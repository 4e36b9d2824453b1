import { existsSync, readFileSync } from 'node:fs';

/** In the sources and in what tsc built of them it is two folders up, in a bundle one. */
const manifest = ['../package.json', '../../package.json']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(url)) as URL;

/** Of this package, and so of Shoal. */
export const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string };
