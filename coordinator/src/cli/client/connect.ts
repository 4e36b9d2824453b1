import { ShoalError } from '@shoal/protocol';
import type { World } from '../world.ts';
import { ApiClient } from './api-client.ts';
import { allRunning, defaultDataDirectory, runningIn } from './running.ts';

export interface ConnectionOptions {
  readonly url?: string;
  readonly key?: string;
  readonly data?: string;
}

const howToStart = `Start one, in another terminal:
  npm start            a fleet on this machine with a sample camera, from a clone of the repository
  shoal coordinator    a coordinator alone; then add devices: shoal token create
or say where one is: --url http://HOST:PORT --key KEY (or SHOAL_URL and SHOAL_API_KEY).`;

/**
 * The coordinator that is meant: by option, by environment, the one of the data directory, or the one that runs on this machine.
 * @throws `net.unreachable` with how to start one.
 */
export async function connect(options: ConnectionOptions, world: World): Promise<ApiClient> {
  const url = options.url ?? world.env['SHOAL_URL'];
  const key = options.key ?? world.env['SHOAL_API_KEY'];
  if (url !== undefined) return new ApiClient({ url: checkedUrl(url), ...(key === undefined ? {} : { key }) });
  const running = options.data === undefined ? await anyRunning(world) : await runningIn(options.data);
  if (!running) {
    const where = options.data === undefined ? 'on this machine' : `with its data in ${options.data}`;
    throw new ShoalError('net.unreachable', `no coordinator runs ${where}.\n${howToStart}`);
  }
  return new ApiClient({ url: running.url, key: key ?? running.key });
}

async function anyRunning(world: World) {
  const all = await allRunning();
  const chosen = all.find(({ dataDirectory }) => dataDirectory === defaultDataDirectory()) ?? all[0];
  if (chosen && all.length > 1) {
    world.stderr.write(`${all.length} coordinators run here; using ${chosen.url} (choose with --url or --data)\n`);
  }
  return chosen;
}

function checkedUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return url;
  throw new ShoalError('input.invalid', `--url must be http://HOST:PORT or https://HOST:PORT, not ${url}`, {
    field: 'url',
  });
}
