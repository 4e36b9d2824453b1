import { spawn } from 'node:child_process';
import { asShoalError, type Clock, ShoalError } from '@shoal/protocol';
import { parseWebUrl } from './source-url.ts';

const configTimeoutMs = 20_000;
const metadataTimeoutMs = 30_000;
/** A version's metadata is a few KB; this is where reading stops. */
const maxMetadataBytes = 4 * 2 ** 20;

/** Where a package's tarball lies, and the digest that the registry states for it. */
export interface PackageLocation {
  readonly tarball: URL;
  readonly integrity?: string;
}

/** A port: where packages are looked up. */
export interface PackageRegistry {
  /** @throws `not-found`, `net.unreachable`, `aborted`. */
  locate(name: string, version: string, signal: AbortSignal): Promise<PackageLocation>;
  /** Addresses that this registry may send to. */
  checkUrl(url: string): URL;
}

export interface NpmRegistryOptions {
  /** Address of the registry. Left out: the one that npm on this machine is configured with. */
  readonly url?: string;
}

/** The npm registry that this machine's npm uses (a mirror, a company's own ...). No address is built in. */
export class NpmRegistry implements PackageRegistry {
  readonly #fetch: typeof globalThis.fetch;
  readonly #url: string | undefined;
  readonly #clock: Clock;
  /** What npm said, by key; it takes half a second to say it. */
  readonly #answers = new Map<string, string>();

  constructor(
    deps: { readonly fetch: typeof globalThis.fetch; readonly clock: Clock },
    options: NpmRegistryOptions = {},
  ) {
    this.#fetch = deps.fetch;
    this.#clock = deps.clock;
    this.#url = options.url;
  }

  async locate(name: string, version: string, signal: AbortSignal): Promise<PackageLocation> {
    const base = await this.#registryOf(name, signal);
    const url = new URL(`${name.replace('/', '%2F')}/${version}`, base.endsWith('/') ? base : `${base}/`);
    const metadata = await this.#inTime(url, signal, (inTime) => this.#metadata(url, `${name}@${version}`, inTime));
    const { tarball, integrity } = distOf(metadata);
    if (tarball === undefined)
      throw new ShoalError('not-found', `the registry ${url.host} does not say where ${name}@${version} lies`);
    return { tarball: this.checkUrl(tarball), ...(integrity === undefined ? {} : { integrity }) };
  }

  /** Whoever configured a registry without TLS trusts it; what it sends is checked by digest in any case. */
  checkUrl(url: string): URL {
    return url.startsWith('http:') && URL.canParse(url) ? new URL(url) : parseWebUrl(url);
  }

  async #registryOf(name: string, signal: AbortSignal): Promise<string> {
    if (this.#url !== undefined) return this.#url;
    const scope = name.startsWith('@') ? name.slice(0, name.indexOf('/')) : undefined;
    const scoped = scope === undefined ? 'undefined' : await this.#ask(`${scope}:registry`, signal);
    return scoped === 'undefined' ? this.#ask('registry', signal) : scoped;
  }

  async #ask(key: string, signal: AbortSignal): Promise<string> {
    const answer = this.#answers.get(key) ?? (await askNpm(key, signal));
    this.#answers.set(key, answer);
    return answer;
  }

  /** Runs `ask` with a signal that also fires when the registry has not answered in time. */
  async #inTime<T>(url: URL, signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const stopTimer = this.#clock.after('registry answer', metadataTimeoutMs, () => {
      late.abort(
        new ShoalError('timeout', `the npm registry ${url.host} has not answered for ${metadataTimeoutMs / 1_000} s`, {
          host: url.host,
        }),
      );
    });
    try {
      return await ask(AbortSignal.any([signal, late.signal]));
    } finally {
      stopTimer();
    }
  }

  async #metadata(url: URL, name: string, signal: AbortSignal): Promise<unknown> {
    const response = await this.#fetch(url, { headers: { accept: 'application/json' }, signal }).catch(
      (cause: unknown) => {
        if (signal.aborted) throw asShoalError(signal.reason, 'aborted');
        throw new ShoalError(
          'net.unreachable',
          `the npm registry ${url.host} cannot be reached, so ${name} cannot be fetched: check the network and \`npm config get registry\``,
          { host: url.host },
          { cause },
        );
      },
    );
    if (response.status === 404) {
      await response.body?.cancel();
      throw new ShoalError('not-found', `the npm registry ${url.host} has no ${name}`, { host: url.host });
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new ShoalError(
        'net.unreachable',
        `the npm registry ${url.host} answers ${response.status} when asked for ${name}`,
        { status: response.status },
      );
    }
    return parseJson(await limitedText(response), url);
  }
}

/** `npm config get KEY` as npm on this machine answers, from its files and the environment. */
async function askNpm(key: string, signal: AbortSignal): Promise<string> {
  // npm is a script on Windows, which only a shell runs; the arguments are ours.
  const shell = process.platform === 'win32';
  const child = spawn('npm', ['config', 'get', key, '--no-workspaces'], {
    shell,
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: configTimeoutMs,
    signal,
  });
  return new Promise((resolve, reject) => {
    let text = '';
    const fail = (cause?: Error) =>
      reject(
        new ShoalError(
          'net.unreachable',
          'npm did not say which registry to use: install npm, or name a registry',
          {},
          { cause },
        ),
      );
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.on('error', fail);
    child.on('close', (code) => {
      if (code === 0 && text.trim() !== '') resolve(text.trim());
      else fail();
    });
  });
}

async function limitedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxMetadataBytes)
      throw new ShoalError('input.too-large', `the registry's answer is larger than ${maxMetadataBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string, url: URL): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ShoalError(
      'net.unreachable',
      `${url.host} does not answer like an npm registry`,
      { host: url.host },
      { cause },
    );
  }
}

function distOf(metadata: unknown): { readonly tarball?: string; readonly integrity?: string } {
  const { dist } = (metadata ?? {}) as { dist?: { tarball?: unknown; integrity?: unknown } };
  return {
    ...(typeof dist?.tarball === 'string' ? { tarball: dist.tarball } : {}),
    ...(typeof dist?.integrity === 'string' ? { integrity: dist.integrity } : {}),
  };
}
