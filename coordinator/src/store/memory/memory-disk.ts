import type {
  Camera,
  DeviceRecord,
  EventRecord,
  ResultRecord,
  Task,
  TokenRecord,
  WebhookRecord,
} from '../../domain/index.ts';
import type { ApiKeyRecord, BlobRecord } from '../store.ts';
import type { StoreWrite } from '../store-write.ts';

/** What a {@link MemoryStore} has committed. It outlives the store, as a disk outlives a process that crashed. */
export class MemoryDisk {
  readonly devices = new Map<string, DeviceRecord>();
  readonly tokens = new Map<string, TokenRecord>();
  readonly tasks = new Map<string, Task>();
  readonly results = new Map<string, ResultRecord>();
  readonly cameras = new Map<string, Camera>();
  readonly events = new Map<string, EventRecord>();
  readonly apiKeys = new Map<string, ApiKeyRecord>();
  readonly webhooks = new Map<string, WebhookRecord>();
  readonly blobs = new Map<string, BlobRecord>();
  readonly received = new Map<string, number>();
  nextSequence = 1;
  /** Makes every write fail with this, as a full disk does. */
  failure: Error | undefined;
  readonly #taskOfKey = new Map<string, string>();
  readonly #resultOfTask = new Map<string, string>();
  readonly #resultOfReport = new Map<string, string>();

  apply(writes: readonly StoreWrite[]): void {
    if (this.failure) throw this.failure;
    for (const write of writes) this.#apply(write);
  }

  taskOfKey(key: string): Task | undefined {
    return this.tasks.get(this.#taskOfKey.get(key) ?? '');
  }

  resultOfTask(taskId: string): ResultRecord | undefined {
    return this.results.get(this.#resultOfTask.get(taskId) ?? '');
  }

  hasReport(camera: string, device: string, report: number): boolean {
    return this.#resultOfReport.has(`${camera} ${device} ${report}`);
  }

  removeTask(task: Task): void {
    this.tasks.delete(task.id);
    if (task.idempotencyKey !== undefined) this.#taskOfKey.delete(task.idempotencyKey);
    const result = this.resultOfTask(task.id);
    if (result) this.removeResult(result);
  }

  removeResult(result: ResultRecord): void {
    this.results.delete(result.id);
    if ('task' in result.work) this.#resultOfTask.delete(result.work.task);
    else this.#resultOfReport.delete(`${result.work.camera} ${result.device} ${result.work.report}`);
  }

  #apply(write: StoreWrite): void {
    switch (write.kind) {
      case 'device':
        this.devices.set(write.device.id, write.device);
        return;
      case 'token':
        this.tokens.set(write.token.id, write.token);
        return;
      case 'token-removed':
        this.tokens.delete(write.id);
        return;
      case 'task':
        this.tasks.set(write.task.id, write.task);
        if (write.task.idempotencyKey !== undefined) this.#taskOfKey.set(write.task.idempotencyKey, write.task.id);
        return;
      case 'result':
        this.#addResult(write.result);
        return;
      case 'event':
        this.#putEvent(write.event);
        return;
      case 'camera':
        this.cameras.set(write.camera.id, write.camera);
        return;
      case 'camera-removed':
        this.cameras.delete(write.id);
        return;
      case 'api-key':
        this.apiKeys.set(write.apiKey.id, write.apiKey);
        return;
      case 'api-key-removed':
        this.apiKeys.delete(write.id);
        return;
      case 'webhook':
        this.webhooks.set(write.webhook.id, write.webhook);
        return;
      case 'webhook-removed':
        this.webhooks.delete(write.id);
        return;
      case 'blob':
        this.blobs.set(write.blob.digest, write.blob);
        return;
      case 'blob-removed':
        this.blobs.delete(write.digest);
        return;
      case 'sequences-reserved':
        this.nextSequence = write.next;
        return;
      case 'sequence-received':
        this.received.set(write.sender, write.sequence);
        return;
    }
  }

  #putEvent(event: EventRecord): void {
    const before = this.events.get(event.id);
    if (!before) this.events.set(event.id, event);
    else if (before.device === event.device && (before.endedAtMs === undefined || event.endedAtMs !== undefined))
      this.events.set(event.id, { ...event, firstResult: before.firstResult });
  }

  #addResult(result: ResultRecord): void {
    const { work } = result;
    const index = 'task' in work ? this.#resultOfTask : this.#resultOfReport;
    const key = 'task' in work ? work.task : `${work.camera} ${result.device} ${work.report}`;
    if (index.has(key)) return;
    index.set(key, result.id);
    this.results.set(result.id, result);
  }
}
