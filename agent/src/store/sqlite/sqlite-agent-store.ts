import {
  CameraAssignment,
  equalBytes,
  fromHex,
  type PeerId,
  type SequenceStore,
  toHex,
  VariantProfile,
} from '@shoal/protocol';
import type {
  AgentStore,
  CameraStore,
  MembershipStore,
  PinnedCoordinator,
  ProbedSoftware,
  ProfileRecord,
  ProfileStore,
} from '../store.ts';
import { Database } from './database.ts';
import type { LogFlush } from './log-flush.ts';
import { SqliteOutboxStore } from './sqlite-outbox-store.ts';

/**
 * The agent's state in one SQLite file, which is made when it is not there.
 * @throws `io.failed` when it cannot be opened, is no database or is of a later version
 */
export function openSqliteAgentStore(path: string, openLog?: (path: string) => LogFlush): AgentStore {
  const database = new Database(path, openLog);
  const sequences = new Sequences(database);
  return {
    sequences,
    membership: new Membership(database),
    outbox: new SqliteOutboxStore(database),
    profiles: new Profiles(database),
    cameras: new Cameras(database),
    async close() {
      await sequences.flush();
      await database.close();
    },
  };
}

/** Sequences that were received are written with the next transaction, whatever it is for: see {@link SequenceStore}. */
class Sequences implements SequenceStore {
  readonly #database: Database;
  readonly #received = new Map<PeerId, number>();
  readonly #unwritten = new Set<PeerId>();

  constructor(database: Database) {
    this.#database = database;
    for (const row of database.all<{ sender: PeerId; sequence: number }>('SELECT sender, sequence FROM received')) {
      this.#received.set(row.sender, row.sequence);
    }
    database.beforeCommit(() => this.#write());
  }

  async reserve(count: number): Promise<number> {
    return this.#database.durably(() => {
      const first = readFact<number>(this.#database, 'next sequence') ?? 1;
      writeFact(this.#database, 'next sequence', first + count);
      return first;
    });
  }

  lastReceived(sender: PeerId): number {
    return this.#received.get(sender) ?? 0;
  }

  recordReceived(sender: PeerId, sequence: number): void {
    this.#received.set(sender, sequence);
    this.#unwritten.add(sender);
  }

  async flush(): Promise<void> {
    if (this.#unwritten.size > 0) await this.#database.durably(() => {});
  }

  #write(): () => void {
    for (const sender of this.#unwritten) {
      this.#database.run(
        'INSERT INTO received (sender, sequence) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET sequence = ?2',
        sender,
        this.lastReceived(sender),
      );
    }
    return () => this.#unwritten.clear();
  }
}

class Membership implements MembershipStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  pinned(): PinnedCoordinator | undefined {
    const text = readFact<string>(this.#database, 'coordinator');
    if (text === undefined) return undefined;
    const { publicKey, ...rest } = JSON.parse(text) as PinnedCoordinator & { publicKey: string };
    const key = fromHex(publicKey);
    return key && { ...rest, publicKey: key };
  }

  async pin({ publicKey, ...rest }: PinnedCoordinator): Promise<void> {
    const before = this.pinned();
    await this.#database.durably(() => {
      if (before && !equalBytes(before.publicKey, publicKey)) {
        this.#database.run('DELETE FROM cameras');
        this.#database.run("DELETE FROM facts WHERE name IN ('welcomed', 'shown')");
      }
      writeFact(this.#database, 'coordinator', JSON.stringify({ publicKey: toHex(publicKey), ...rest }));
    });
  }

  welcomedAtMs(): number | undefined {
    return readFact<number>(this.#database, 'welcomed');
  }

  async recordWelcome(atMs: number): Promise<void> {
    await this.#database.durably(() => writeFact(this.#database, 'welcomed', atMs));
  }

  shown(): Uint8Array | undefined {
    const hex = readFact<string>(this.#database, 'shown');
    return hex === undefined ? undefined : fromHex(hex);
  }

  async recordShown(membership: Uint8Array): Promise<void> {
    await this.#database.durably(() => writeFact(this.#database, 'shown', toHex(membership)));
  }

  probed(): ProbedSoftware | undefined {
    const text = readFact<string>(this.#database, 'probed');
    return text === undefined ? undefined : (JSON.parse(text) as ProbedSoftware);
  }

  async recordProbed(probed: ProbedSoftware): Promise<void> {
    await this.#database.durably(() => writeFact(this.#database, 'probed', JSON.stringify(probed)));
  }
}

class Profiles implements ProfileStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  all(): readonly ProfileRecord[] {
    const rows = this.#database.all<{ fingerprint: string; profile: Uint8Array }>(
      'SELECT fingerprint, profile FROM profiles',
    );
    return rows.map(({ fingerprint, profile }) => ({ fingerprint, profile: VariantProfile.decode(profile) }));
  }

  async put({ fingerprint, profile }: ProfileRecord): Promise<void> {
    await this.#database.durably(() =>
      this.#database.run(
        'INSERT OR REPLACE INTO profiles (model, variant, engine, fingerprint, profile) VALUES (?, ?, ?, ?, ?)',
        profile.model,
        profile.variant,
        profile.engine,
        fingerprint,
        VariantProfile.encode(profile),
      ),
    );
  }
}

class Cameras implements CameraStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  all(): readonly CameraAssignment[] {
    const rows = this.#database.all<{ assignment: Uint8Array }>('SELECT assignment FROM cameras ORDER BY id');
    return rows.map(({ assignment }) => CameraAssignment.decode(assignment));
  }

  async put(assignment: CameraAssignment): Promise<void> {
    await this.#database.durably(() =>
      this.#database.run(
        'INSERT OR REPLACE INTO cameras (id, assignment) VALUES (?, ?)',
        assignment.cameraId,
        CameraAssignment.encode(assignment),
      ),
    );
  }

  async remove(cameraId: string): Promise<void> {
    await this.#database.durably(() => this.#database.run('DELETE FROM cameras WHERE id = ?', cameraId));
  }

  async reserveNumbers(cameraId: string, count: number): Promise<number> {
    return this.#database.durably(() => {
      const row = this.#database.get<{ next: number }>('SELECT next FROM camera_numbers WHERE camera = ?', cameraId);
      const first = row?.next ?? 1;
      this.#database.run('INSERT OR REPLACE INTO camera_numbers (camera, next) VALUES (?, ?)', cameraId, first + count);
      return first;
    });
  }
}

function readFact<T extends number | string>(database: Database, name: string): T | undefined {
  return database.get<{ value: T }>('SELECT value FROM facts WHERE name = ?', name)?.value;
}

function writeFact(database: Database, name: string, value: number | string): void {
  database.run('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)', name, value);
}
