import { type AnalysisResult, BoundedQueue, type PeerDirectory, ShoalError, writeBundle } from '@shoal/protocol';
import type { Page, PageOptions, ResultRecord, Results } from '../domain/index.ts';
import type { Store } from '../store/index.ts';

/** Results that wait for one slow reader; then the oldest go. */
const watchLimit = 1_000;
const mostWatchers = 10_000;

interface Watched {
  readonly record: ResultRecord;
  readonly result: AnalysisResult;
}

interface Deps {
  readonly store: Pick<Store, 'resultOfTask' | 'resultOfCamera' | 'resultsOfCamera'>;
  readonly peers: PeerDirectory;
}

/** Results that are durable: to look up, to follow, and to hand out as proof. */
export class ResultShelf implements Results {
  readonly #deps: Deps;
  readonly #watchers = new Set<(watched: Watched) => void>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Tells those who follow. Only of what is durable. */
  publish(record: ResultRecord, result: AnalysisResult): void {
    if (this.#watchers.size > 0) for (const tell of this.#watchers) tell({ record, result });
  }

  async ofTask(taskId: string): Promise<ResultRecord> {
    const record = await this.#deps.store.resultOfTask(taskId);
    if (!record) throw new ShoalError('not-found', `there is no result of a task ${taskId.slice(0, 64)}`);
    return record;
  }

  async oneOfCamera(cameraId: string, resultId: string): Promise<ResultRecord> {
    const record = await this.#deps.store.resultOfCamera(cameraId, resultId);
    if (!record) {
      const [result, camera] = [resultId.slice(0, 64), cameraId.slice(0, 64)];
      throw new ShoalError('not-found', `there is no result ${result} of a camera ${camera}`);
    }
    return record;
  }

  ofCamera(cameraId: string, options: PageOptions): Promise<Page<ResultRecord>> {
    return this.#deps.store.resultsOfCamera(cameraId, options);
  }

  async *watch(filter: { readonly camera?: string }, signal: AbortSignal): AsyncIterable<Watched> {
    if (this.#watchers.size >= mostWatchers)
      throw new ShoalError('queue.full', `${mostWatchers} already follow the results`);
    const queue = new BoundedQueue<Watched>({ name: 'watched results', limit: watchLimit, overflow: 'drop-oldest' });
    const tell = (watched: Watched) => {
      const { work } = watched.record;
      if (filter.camera === undefined || ('camera' in work && work.camera === filter.camera)) queue.push(watched);
    };
    const end = () => queue.close();
    this.#watchers.add(tell);
    signal.addEventListener('abort', end, { once: true });
    try {
      while (!signal.aborted) {
        const next = await queue.take();
        if (!next || signal.aborted) return;
        yield next;
      }
    } finally {
      this.#watchers.delete(tell);
      signal.removeEventListener('abort', end);
    }
  }

  bundle({ result, attestation, device }: ResultRecord): Uint8Array {
    const key = this.#deps.peers.keyOf(device);
    if (!key) throw new ShoalError('not-found', `the device ${device} is not known any more`);
    return writeBundle({ result, attestation, publicKey: key.publicKey });
  }
}
