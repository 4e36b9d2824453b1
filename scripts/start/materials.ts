import { homedir } from 'node:os';
import { createModelStore, defaultCacheDirectory, type FetchProgress } from '@shoal/models';
import { createLogger } from '@shoal/protocol';
import { consoleLogSink, systemClock, systemRandom } from '@shoal/protocol/real';

/** What the first run needs and later ones have: the default detector and the sample clip. */
const defaultModel = 'efficientdet-lite0';
const sampleClip = 'sample-clip';

/** Fetches what is not there yet, with a bar. Returns the path of the clip when it was asked for. */
export async function fetchMaterials(withClip: boolean, signal: AbortSignal): Promise<{ readonly clip?: string }> {
  const cacheDirectory = defaultCacheDirectory({
    platform: process.platform,
    homeDirectory: homedir(),
    environment: process.env,
  });
  const logger = createLogger(consoleLogSink('text'), 'warn');
  const store = createModelStore({ clock: systemClock, random: systemRandom, logger }, { cacheDirectory });
  const bar = progressBar();
  try {
    await store.resolve(defaultModel, undefined, { signal, onProgress: bar.show });
    if (!withClip) return {};
    const { path } = await store.asset(sampleClip, { signal, onProgress: bar.show });
    return { clip: path };
  } finally {
    bar.end();
  }
}

const barWidth = 24;
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

function progressBar() {
  const terminal = process.stderr.isTTY;
  let last = '';
  return {
    show({ name, receivedBytes, totalBytes }: FetchProgress): void {
      if (!terminal) {
        if (name !== last) process.stderr.write(`Fetching ${name} (once)\n`);
        last = name;
        return;
      }
      const share = totalBytes ? Math.min(1, receivedBytes / totalBytes) : 0;
      const bar = '━'.repeat(Math.round(barWidth * share)).padEnd(barWidth, '─');
      const size = totalBytes
        ? `${megabytes(receivedBytes)} of ${megabytes(totalBytes)} MB`
        : `${megabytes(receivedBytes)} MB`;
      process.stderr.write(`\r\u001b[KFetching ${name}  ${bar}  ${size}`);
      last = name;
    },
    end(): void {
      if (terminal && last !== '') process.stderr.write('\r\u001b[K');
    },
  };
}
