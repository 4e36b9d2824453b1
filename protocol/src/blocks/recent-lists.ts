import type { PieceList } from './piece-list.ts';

/** At most 256 KiB each. */
const mostLists = 16;

/** Lists of pieces of files that were asked for lately, so that a file is not read through for each who asks. */
export class RecentLists {
  readonly #lists = new Map<string, PieceList>();

  get(sha256: string): PieceList | undefined {
    const list = this.#lists.get(sha256);
    if (list) this.add(sha256, list);
    return list;
  }

  add(sha256: string, list: PieceList): void {
    this.#lists.delete(sha256);
    this.#lists.set(sha256, list);
    const [oldest] = this.#lists.keys();
    if (this.#lists.size > mostLists && oldest !== undefined) this.#lists.delete(oldest);
  }
}
