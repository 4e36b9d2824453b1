import type { OutboxEntry, OutboxKind, OutboxStore, OutboxTotals } from '../store.ts';
import type { Database } from './database.ts';

const nothing = new Uint8Array();

interface Row {
  readonly id: number;
  readonly kind: OutboxKind;
  readonly statement: Uint8Array;
  readonly payload: Uint8Array | null;
}

export class SqliteOutboxStore implements OutboxStore {
  readonly #database: Database;
  #count: number;
  #sizeBytes: number;

  constructor(database: Database) {
    this.#database = database;
    const statements = database.get<Sums>('SELECT count(*) AS count, total(length(statement)) AS size FROM outbox');
    const payloads = database.get<Sums>('SELECT count(*) AS count, total(length(payload)) AS size FROM outbox_payload');
    this.#count = statements?.count ?? 0;
    this.#sizeBytes = (statements?.size ?? 0) + (payloads?.size ?? 0);
  }

  totals(): OutboxTotals {
    return { count: this.#count, sizeBytes: this.#sizeBytes };
  }

  lastId(): number {
    return this.#database.get<{ id: number | null }>('SELECT max(id) AS id FROM outbox')?.id ?? 0;
  }

  async append(entries: readonly OutboxEntry[]): Promise<void> {
    const before = this.#database.transaction(() => {
      // Some are there already when they could not be flushed the last time.
      const taken = this.#delete(entries.map(({ id }) => id));
      for (const { id, kind, statement, payload } of entries) {
        this.#database.run('INSERT INTO outbox (id, kind, statement) VALUES (?, ?, ?)', id, kind, statement);
        if (payload.length > 0) {
          this.#database.run('INSERT INTO outbox_payload (id, kind, payload) VALUES (?, ?, ?)', id, kind, payload);
        }
      }
      return taken;
    });
    this.#subtract(before);
    this.#count += entries.length;
    for (const { statement, payload } of entries) this.#sizeBytes += statement.length + payload.length;
    await this.#database.flush();
  }

  async read(afterId: number, limit: number): Promise<readonly OutboxEntry[]> {
    const rows = this.#database.all<Row>(
      `SELECT outbox.id, outbox.kind, statement, payload FROM outbox LEFT JOIN outbox_payload USING (id)
       WHERE outbox.id > ? ORDER BY outbox.id LIMIT ?`,
      afterId,
      limit,
    );
    return rows.map(({ id, kind, statement, payload }) => ({ id, kind, statement, payload: payload ?? nothing }));
  }

  async remove(ids: readonly number[]): Promise<void> {
    this.#subtract(this.#database.transaction(() => this.#delete(ids)));
    await this.#database.flush();
  }

  async shedPayloads(sizeBytes: number): Promise<{ reports: number; sizeBytes: number }> {
    const shed = this.#database.transaction(() => {
      let reports = 0;
      let freed = 0;
      while (freed < sizeBytes) {
        const oldest = this.#database.get<{ id: number; size: number }>(
          "SELECT id, length(payload) AS size FROM outbox_payload WHERE kind = 'camera-report' ORDER BY id LIMIT 1",
        );
        if (!oldest) break;
        this.#database.run('DELETE FROM outbox_payload WHERE id = ?', oldest.id);
        reports += 1;
        freed += oldest.size;
      }
      return { reports, sizeBytes: freed };
    });
    this.#sizeBytes -= shed.sizeBytes;
    await this.#database.flush();
    return shed;
  }

  #delete(ids: readonly number[]): OutboxTotals {
    let sizeBytes = 0;
    let count = 0;
    for (const id of ids) {
      const statement = this.#database.get<{ size: number }>(
        'DELETE FROM outbox WHERE id = ? RETURNING length(statement) AS size',
        id,
      );
      if (!statement) continue;
      const payload = this.#database.get<{ size: number }>(
        'DELETE FROM outbox_payload WHERE id = ? RETURNING length(payload) AS size',
        id,
      );
      count += 1;
      sizeBytes += statement.size + (payload?.size ?? 0);
    }
    return { count, sizeBytes };
  }

  #subtract({ count, sizeBytes }: OutboxTotals): void {
    this.#count -= count;
    this.#sizeBytes -= sizeBytes;
  }
}

interface Sums {
  readonly count: number;
  readonly size: number;
}
