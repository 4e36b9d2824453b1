import { type AnalysisResult, type PeerDirectory, ShoalError, writeBundle } from '@shoal/protocol';
import type { Page, PageOptions, ResultRecord, Results } from '../domain/index.ts';
import { Followers } from '../following/index.ts';
import type { Store } from '../store/index.ts';

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
  readonly #followers = new Followers<Watched>('results');

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Tells those who follow. Only of what is durable. */
  publish(record: ResultRecord, result: AnalysisResult): void {
    this.#followers.tell({ record, result });
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

  watch(filter: { readonly camera?: string }, signal: AbortSignal): AsyncIterable<Watched> {
    const wants = ({ record: { work } }: Watched) =>
      filter.camera === undefined || ('camera' in work && work.camera === filter.camera);
    return this.#followers.follow(wants, signal);
  }

  bundle({ result, attestation, device }: ResultRecord): Uint8Array {
    const key = this.#deps.peers.keyOf(device);
    if (!key) throw new ShoalError('not-found', `the device ${device} is not known any more`);
    return writeBundle({ result, attestation, publicKey: key.publicKey });
  }
}
