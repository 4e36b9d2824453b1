import type { CameraStore } from '../store/index.ts';

/** Numbers set aside at once, so that a durable write is rare. Those left over at a restart are never used. */
const blockSize = 1_000;

/** The numbers of a camera's reports: they count up, and no restart uses one twice, since the coordinator keeps one result per number. */
export class ReportNumbers {
  readonly #store: CameraStore;
  readonly #cameraId: string;
  #next = 0;
  #end = 0;

  constructor(store: CameraStore, cameraId: string) {
    this.#store = store;
    this.#cameraId = cameraId;
  }

  async next(): Promise<number> {
    if (this.#next === this.#end) {
      this.#next = await this.#store.reserveNumbers(this.#cameraId, blockSize);
      this.#end = this.#next + blockSize;
    }
    return this.#next++;
  }
}
