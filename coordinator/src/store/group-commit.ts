import { asShoalError, type Clock, ShoalError } from '@shoal/protocol';
import type { Change, StoreCounts } from './store.ts';
import type { StoreWrite } from './store-write.ts';
import type { StoredSequences } from './stored-sequences.ts';

/** Changes in one transaction at most, so that a write never holds up the event loop for long. */
const groupLimit = 512;
/** Commits that wait at most: a store that cannot keep up says so. */
const waitingLimit = 100_000;
/** How long a deferred change waits for a commit to travel with, ms. */
const deferMs = 50;

interface Deps {
  readonly clock: Clock;
  readonly sequences: StoredSequences;
  /** Writes all or nothing, durably. */
  readonly write: (writes: readonly StoreWrite[]) => Promise<void> | void;
}

interface Waiting {
  readonly writes: readonly StoreWrite[];
  resolve(): void;
  reject(error: ShoalError): void;
}

/** Gathers what is to be written in one turn, or while the last write runs, into one transaction: flushing to the disk is what costs. */
export class GroupCommit {
  readonly #deps: Deps;
  #waiting: Waiting[] = [];
  readonly #deferred = new Map<string, Change>();
  #scheduled = false;
  #cancelPatience: (() => void) | undefined;
  #cancelDeferTimer: (() => void) | undefined;
  #closed = false;
  #commits = 0;
  #changes = 0;
  #lastFailure: StoreCounts['lastFailure'];

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get counts(): StoreCounts {
    const lastFailure = this.#lastFailure;
    return { commits: this.#commits, changes: this.#changes, ...(lastFailure && { lastFailure }) };
  }

  /** With patience, a commit waits so long for another one that has none. */
  commit(writes: readonly StoreWrite[], patienceMs = 0): Promise<void> {
    if (this.#closed) return Promise.reject(new ShoalError('closed', 'the store is stopped'));
    if (this.#waiting.length >= waitingLimit) {
      return Promise.reject(new ShoalError('queue.full', `${waitingLimit} commits wait for the disk`));
    }
    return this.#add(writes, patienceMs);
  }

  #add(writes: readonly StoreWrite[], patienceMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      // What was to be written some time is older than this.
      if (this.#deferred.size > 0) for (const write of writes) this.#deferred.delete(recordOf(write));
      this.#waiting.push({ writes, resolve, reject });
      if (patienceMs <= 0) this.#schedule();
      else this.#cancelPatience ??= this.#deps.clock.after('store: company', patienceMs, () => this.#schedule());
    });
  }

  defer(change: Change): void {
    if (this.#closed) return;
    this.#deferred.set(recordOf(change), change);
    this.#cancelDeferTimer ??= this.#deps.clock.after('store: deferred changes', deferMs, () => {
      this.#cancelDeferTimer = undefined;
      this.#schedule();
    });
  }

  /** Writes what is left, then takes nothing more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelDeferTimer?.();
    this.#cancelDeferTimer = undefined;
    do await this.#add([], 0);
    while (this.#deferred.size > 0);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#cancelPatience?.();
    this.#cancelPatience = undefined;
    const { clock } = this.#deps;
    // What is to be sent in this turn leaves first: whoever gets it works while the disk is waited for.
    clock.soon('store: gather', () => clock.soon('store: commit', () => void this.#writeGroup()));
  }

  async #writeGroup(): Promise<void> {
    const group = this.#takeGroup();
    const deferred = this.#waiting.length === 0 ? this.#takeDeferred() : [];
    const sequences = this.#deps.sequences.takeReceived();
    const writes = [...group.flatMap((waiting) => waiting.writes), ...deferred, ...sequences];
    try {
      if (writes.length > 0) {
        await this.#deps.write(writes);
        this.#commits += 1;
        this.#changes += writes.length;
        this.#lastFailure = undefined;
      }
      for (const waiting of group) waiting.resolve();
    } catch (error) {
      this.#deps.sequences.putBack(sequences);
      this.#deferAgain(deferred);
      const failure = asShoalError(error, 'io.failed');
      this.#lastFailure = { atMs: this.#deps.clock.monotonicMs(), why: failure.message };
      for (const waiting of group) waiting.reject(failure);
    } finally {
      this.#scheduled = false;
      const left = this.#deferred.size > 0 && this.#cancelDeferTimer === undefined;
      if (this.#waiting.length > 0 || left) this.#schedule();
    }
  }

  /** Changes that could not be written wait again, but for those that something newer is on its way of: written later, they would undo it. */
  #deferAgain(changes: readonly Change[]): void {
    const newer = new Set(this.#waiting.flatMap(({ writes }) => writes.map(recordOf)));
    for (const change of changes) {
      const record = recordOf(change);
      if (!this.#deferred.has(record) && !newer.has(record)) this.defer(change);
    }
  }

  #takeGroup(): readonly Waiting[] {
    let size = 0;
    let taken = 0;
    for (const { writes } of this.#waiting) {
      if (taken > 0 && size + writes.length > groupLimit) break;
      size += writes.length;
      taken += 1;
    }
    return this.#waiting.splice(0, taken);
  }

  #takeDeferred(): readonly Change[] {
    if (this.#deferred.size === 0) return [];
    const changes: Change[] = [];
    for (const [record, change] of this.#deferred) {
      if (changes.length >= groupLimit) break;
      changes.push(change);
      this.#deferred.delete(record);
    }
    return changes;
  }
}

/** Names the record that a write is about: a later write of the same record replaces an earlier one. */
function recordOf(write: StoreWrite): string {
  switch (write.kind) {
    case 'device':
      return `device ${write.device.id}`;
    case 'token':
      return `token ${write.token.id}`;
    case 'token-removed':
      return `token ${write.id}`;
    case 'task':
      return write.task.id;
    case 'result':
      return `result ${write.result.id}`;
    case 'event':
      return `event ${write.event.device} ${write.event.id}`;
    case 'camera':
      return `camera ${write.camera.id}`;
    case 'camera-removed':
      return `camera ${write.id}`;
    case 'api-key':
      return `api-key ${write.apiKey.id}`;
    case 'api-key-removed':
      return `api-key ${write.id}`;
    case 'webhook':
      return `webhook ${write.webhook.id}`;
    case 'webhook-removed':
      return `webhook ${write.id}`;
    case 'blob':
      return `blob ${write.blob.digest}`;
    case 'blob-removed':
      return `blob ${write.digest}`;
    case 'sequences-reserved':
      return 'sequences';
    case 'sequence-received':
      return `received ${write.sender}`;
  }
}
