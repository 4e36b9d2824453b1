import type { PeerId, SequenceStore, Service } from '@shoal/protocol';
import type {
  BlobRef,
  Camera,
  DeviceRecord,
  EventFilter,
  EventRecord,
  Page,
  PageOptions,
  ResultRecord,
  Task,
  TaskState,
  TokenRecord,
  WebhookRecord,
} from '../domain/index.ts';

/**
 * What the coordinator must not forget. Reads are of what was committed, which a crash may still undo: a read may see a commit a moment before it is
 * durable and its promise resolves. Everything that is needed at every turn is loaded once, at the start.
 * Adapters: SQLite for a site, memory for tests and the simulator. One conformance suite runs over both.
 */
export interface Store extends Service {
  /** Sequences of this coordinator and of its devices. After `start`. */
  readonly sequences: SequenceStore;
  readonly counts: StoreCounts;
  load(): Promise<StoredState>;
  /**
   * Resolves when all of the changes are durable, together or not at all. What arrives in one turn, or while the last write runs, is written as
   * one transaction; with patience, a commit that nobody waits for yet waits so long for company, ms.
   * @throws `io.disk-full`, `io.failed`; `closed` after stop.
   */
  commit(changes: readonly Change[], patienceMs?: number): Promise<void>;
  /** Writes the change along with the next commit, or after a moment: for what may be forgotten in a crash. The newest per record counts. */
  defer(change: Change): void;
  task(id: string): Promise<Task | undefined>;
  taskByIdempotencyKey(key: string): Promise<Task | undefined>;
  /** Newest first. */
  tasks(options: PageOptions & { readonly state?: TaskState }): Promise<Page<Task>>;
  resultOfTask(taskId: string): Promise<ResultRecord | undefined>;
  resultOfCamera(cameraId: string, resultId: string): Promise<ResultRecord | undefined>;
  /** Newest first. */
  resultsOfCamera(cameraId: string, options: PageOptions): Promise<Page<ResultRecord>>;
  /** Highest number of a camera's reports kept from a device; 0 for none. */
  highestReport(cameraId: string, device: PeerId): Promise<number>;
  hasReport(cameraId: string, device: PeerId, report: number): Promise<boolean>;
  event(id: string): Promise<EventRecord | undefined>;
  /** Newest first. */
  events(options: PageOptions & EventFilter): Promise<Page<EventRecord>>;
  blob(digest: string): Promise<BlobRecord | undefined>;
  /** Blobs last used before `beforeMs`, the longest unused first. */
  unusedBlobs(beforeMs: number, limit: number): Promise<readonly BlobRecord[]>;
  /** Deletes at most `batchSize` ended tasks, and as many results of cameras and events, that are past their time. Returns how many went. */
  prune(retention: Retention, nowMs: number, batchSize: number): Promise<number>;
}

/** One record that is written. A record that is there already is replaced; a result that is there already is left alone. */
export type Change =
  | { readonly kind: 'device'; readonly device: DeviceRecord }
  | { readonly kind: 'token'; readonly token: TokenRecord }
  | { readonly kind: 'token-removed'; readonly id: string }
  | { readonly kind: 'task'; readonly task: Task }
  | { readonly kind: 'result'; readonly result: ResultRecord }
  /** An event of another device under the same id is left alone, and one that has ended is not opened again. Its first result stays. */
  | { readonly kind: 'event'; readonly event: EventRecord }
  | { readonly kind: 'camera'; readonly camera: Camera }
  | { readonly kind: 'camera-removed'; readonly id: string }
  | { readonly kind: 'api-key'; readonly apiKey: ApiKeyRecord }
  | { readonly kind: 'api-key-removed'; readonly id: string }
  | { readonly kind: 'webhook'; readonly webhook: WebhookRecord }
  | { readonly kind: 'webhook-removed'; readonly id: string }
  | { readonly kind: 'blob'; readonly blob: BlobRecord }
  | { readonly kind: 'blob-removed'; readonly digest: string };

export interface StoredState {
  readonly devices: readonly DeviceRecord[];
  readonly tokens: readonly TokenRecord[];
  readonly cameras: readonly Camera[];
  readonly eventsGoingOn: readonly EventRecord[];
  readonly apiKeys: readonly ApiKeyRecord[];
  /** Oldest first. */
  readonly webhooks: readonly WebhookRecord[];
  /** Oldest first. */
  readonly unfinishedTasks: readonly Task[];
}

export interface ApiKeyRecord {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the key; the key itself is not kept. */
  readonly sha256: Uint8Array;
  readonly createdAtMs: number;
  /** The one camera whose pictures it is for. */
  readonly camera?: string;
}

export interface BlobRecord extends BlobRef {
  readonly lastUsedMs: number;
}

export interface Retention {
  /** Ended tasks, with their results, that are kept at most. */
  readonly endedTasks: number;
  readonly endedTaskAgeMs: number;
  /** Results of all cameras that are kept at most. */
  readonly cameraResults: number;
  readonly cameraResultAgeMs: number;
  /** Events that are kept at most. */
  readonly events: number;
  readonly eventAgeMs: number;
}

export interface StoreCounts {
  readonly commits: number;
  readonly changes: number;
  /** When a write last failed (monotonic ms), and why. Gone with the next one that does not. */
  readonly lastFailure?: { readonly atMs: number; readonly why: string };
}
