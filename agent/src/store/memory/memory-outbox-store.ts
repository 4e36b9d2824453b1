import type { OutboxEntry, OutboxStore, OutboxTotals } from '../store.ts';

const nothing = new Uint8Array();

/** Entries in the order of their ids. */
export class MemoryOutboxStore implements OutboxStore {
  readonly #entries = new Map<number, OutboxEntry>();
  #sizeBytes = 0;

  totals(): OutboxTotals {
    return { count: this.#entries.size, sizeBytes: this.#sizeBytes };
  }

  lastId(): number {
    return [...this.#entries.keys()].at(-1) ?? 0;
  }

  async append(entries: readonly OutboxEntry[]): Promise<void> {
    for (const entry of entries) {
      // Some are there already when the last write was done and nobody was told.
      const before = this.#entries.get(entry.id);
      if (before) this.#sizeBytes -= sizeOf(before);
      this.#entries.set(entry.id, entry);
      this.#sizeBytes += sizeOf(entry);
    }
  }

  async read(afterId: number, limit: number): Promise<readonly OutboxEntry[]> {
    return [...this.#entries.values()].filter(({ id }) => id > afterId).slice(0, limit);
  }

  async remove(ids: readonly number[]): Promise<void> {
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (!entry) continue;
      this.#sizeBytes -= sizeOf(entry);
      this.#entries.delete(id);
    }
  }

  async shedPayloads(sizeBytes: number): Promise<{ reports: number; sizeBytes: number }> {
    let reports = 0;
    let freed = 0;
    for (const entry of this.#entries.values()) {
      if (freed >= sizeBytes) break;
      if (entry.kind !== 'camera-report' || entry.payload.length === 0) continue;
      this.#entries.set(entry.id, { ...entry, payload: nothing });
      reports += 1;
      freed += entry.payload.length;
    }
    this.#sizeBytes -= freed;
    return { reports, sizeBytes: freed };
  }
}

function sizeOf({ statement, payload }: OutboxEntry): number {
  return statement.length + payload.length;
}
