import { glob, readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { ShoalError } from '@shoal/protocol';

/** One thing to analyse: a file here, or a URL that is fetched from here. */
export interface AnalyzeInput {
  /** As the person named it. */
  readonly name: string;
  readonly kind: 'file' | 'url';
}

const mediaNames = new Set(
  '.jpg .jpeg .png .webp .gif .tif .tiff .avif .bmp .mp4 .m4v .mov .mkv .webm .avi .ts .flv .mpg .mpeg'.split(' '),
);

/** Files, folders (what looks like a picture or video in them), patterns and URLs as one list, in the order they were named. */
export async function expandInputs(words: readonly string[]): Promise<AnalyzeInput[]> {
  const expanded = await Promise.all(words.map(expand));
  return expanded.flat();
}

async function expand(word: string): Promise<AnalyzeInput[]> {
  if (/^https?:\/\//i.test(word)) return [{ name: word, kind: 'url' }];
  const found = await stat(word).catch(() => undefined);
  if (found?.isDirectory()) return mediaIn(word);
  if (!found && /^(rtsps?|rtmp):\/\//i.test(word)) {
    throw new ShoalError('input.unsupported', `${word} is a stream, which has no end: shoal cameras add watches it`);
  }
  if (found || !/[*?[\]{}]/.test(word)) return [{ name: word, kind: 'file' }];
  const matches: string[] = [];
  for await (const match of glob(word)) matches.push(match);
  // Nothing fits: the pattern itself is reported as a file that is not there.
  return matches.length === 0 ? [{ name: word, kind: 'file' }] : matches.sort().map((name) => ({ name, kind: 'file' }));
}

async function mediaIn(folder: string): Promise<AnalyzeInput[]> {
  const names = (await readdir(folder)).filter((name) => mediaNames.has(extname(name).toLowerCase())).sort();
  return names.map((name) => ({ name: join(folder, name), kind: 'file' }));
}

export interface AnalyzeBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
}

const downloadTimeoutMs = 60_000;

/** Reads a file or fetches a URL. @throws `not-found`, `input.too-large`, `input.corrupt`, `net.unreachable` */
export async function readInput(
  { name, kind }: AnalyzeInput,
  limitBytes: number,
  signal: AbortSignal,
): Promise<AnalyzeBytes> {
  const bytes = kind === 'url' ? await download(name, limitBytes, signal) : await readLocal(name, limitBytes, signal);
  if (bytes.length === 0) throw new ShoalError('input.corrupt', 'it is empty: it has no bytes');
  return { bytes, mediaType: mediaTypeOf(bytes) };
}

async function readLocal(path: string, limitBytes: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new ShoalError('not-found', 'there is no such file');
    throw new ShoalError('io.failed', `it cannot be read: ${error.message}`);
  });
  if (!found.isFile()) throw new ShoalError('input.unsupported', 'it is not a file');
  if (found.size > limitBytes) throw tooLarge(limitBytes);
  return readFile(path, { signal });
}

async function download(url: string, limitBytes: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(downloadTimeoutMs)]);
  try {
    const response = await fetch(url, { signal: bounded });
    if (!response.ok) throw new ShoalError('input.invalid', `the server answered ${response.status}`);
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const part of response.body ?? []) {
      sizeBytes += part.length;
      if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
      parts.push(part);
    }
    return Uint8Array.from(Buffer.concat(parts));
  } catch (thrown) {
    if (thrown instanceof ShoalError || signal.aborted) throw thrown;
    throw new ShoalError(
      'net.unreachable',
      `it cannot be fetched: ${whyNot(thrown as FetchError)}`,
      {},
      { cause: thrown },
    );
  }
}

type FetchError = Error & { readonly cause?: NodeJS.ErrnoException };

function whyNot({ cause, message }: FetchError): string {
  const { code } = cause ?? {};
  return (code && fetchTroubles[code]) ?? code ?? cause?.message ?? message;
}

const fetchTroubles: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name of its host cannot be looked up: is there a network?',
  ECONNREFUSED: 'nobody listens at this address and port',
  ERR_INVALID_URL: 'it is not a URL',
};

function tooLarge(limitBytes: number): ShoalError {
  return new ShoalError('input.too-large', `it is larger than ${limitBytes} bytes`, { limitBytes });
}

/** What the first bytes say: names lie. */
function mediaTypeOf(bytes: Uint8Array): string {
  const ascii = (start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString('latin1');
  const brand = ascii(4, 8) === 'ftyp' ? ascii(8, 12) : '';
  if (/^(avif|avis|heic|heix|mif1)$/.test(brand)) return 'image/avif';
  if (brand !== '') return brand === 'qt  ' ? 'video/quicktime' : 'video/mp4';
  const found = signatures.find(([start, magic]) => ascii(start, start + magic.length) === magic);
  return found?.[2] ?? 'application/octet-stream';
}

const signatures: readonly (readonly [start: number, magic: string, mediaType: string])[] = [
  [0, '\xff\xd8\xff', 'image/jpeg'],
  [0, '\x89PNG', 'image/png'],
  [0, 'GIF8', 'image/gif'],
  [8, 'WEBP', 'image/webp'],
  [0, 'II*\0', 'image/tiff'],
  [0, 'MM\0*', 'image/tiff'],
  [0, 'BM', 'image/bmp'],
  [0, '\x1aE\xdf\xa3', 'video/webm'],
  [8, 'AVI ', 'video/x-msvideo'],
  [0, 'FLV\x01', 'video/x-flv'],
  [0, '\0\0\x01\xba', 'video/mpeg'],
  [0, '\0\0\x01\xb3', 'video/mpeg'],
  [188, 'G', 'video/mp2t'],
];

/** `dog`: what outputs of an input are called. */
export function stemOf(name: string): string {
  const path = URL.parse(name)?.pathname ?? name;
  const stem = basename(path, extname(path)).replace(/[^\w.-]+/g, '_');
  return stem === '' || stem === '.' || stem === '..' ? 'input' : stem;
}
