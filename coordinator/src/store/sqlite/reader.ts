import type { DatabaseSync } from 'node:sqlite';
import type { EventFilter, EventRecord, Page, PageOptions, ResultRecord, Task, TaskState } from '../../domain/index.ts';
import type { BlobRecord, Retention, StoredState } from '../store.ts';
import {
  type ApiKeyRow,
  apiKeyOf,
  type BlobRow,
  blobOf,
  type CameraRow,
  cameraOf,
  type DeviceRow,
  deviceOf,
  type EventRow,
  eventOf,
  type ResultRow,
  resultOf,
  type TaskRow,
  type TokenRow,
  taskOf,
  tokenOf,
  type WebhookRow,
  webhookOf,
} from './rows.ts';

type Parameter = string | number | null;

/** A query whose rows are of one shape. */
interface Query<Row> {
  all(...parameters: Parameter[]): Row[];
  get(...parameters: Parameter[]): Row | undefined;
}

/** Reads records back, each with a statement that was prepared once. */
export class SqliteReader {
  readonly #queries: ReturnType<typeof prepareAll>;

  constructor(database: DatabaseSync) {
    this.#queries = prepareAll(database);
  }

  sequences(): { readonly next: number; readonly received: ReadonlyMap<string, number> } {
    const { ownSequence, received } = this.#queries;
    return {
      next: ownSequence.get()?.next ?? 1,
      received: new Map(received.all().map(({ sender, sequence }) => [sender, sequence])),
    };
  }

  state(): StoredState {
    const { devices, tokens, cameras, eventsGoingOn, apiKeys, webhooks, unfinished } = this.#queries;
    return {
      devices: devices.all().map(deviceOf),
      tokens: tokens.all().map(tokenOf),
      cameras: cameras.all().map(cameraOf),
      eventsGoingOn: eventsGoingOn.all().map(eventOf),
      apiKeys: apiKeys.all().map(apiKeyOf),
      webhooks: webhooks.all().map(webhookOf),
      unfinishedTasks: unfinished.all().map(taskOf),
    };
  }

  task(id: string): Task | undefined {
    const row = this.#queries.task.get(id);
    return row && taskOf(row);
  }

  taskByKey(key: string): Task | undefined {
    const row = this.#queries.taskByKey.get(key);
    return row && taskOf(row);
  }

  tasks({ limit, cursor, state }: PageOptions & { readonly state?: TaskState }): Page<Task> {
    const { tasks, tasksByState } = this.#queries;
    const before = cursor ?? afterAllIds;
    const rows = state === undefined ? tasks.all(before, limit + 1) : tasksByState[state].all(before, limit + 1);
    return pageOf(rows.map(taskOf), limit);
  }

  resultOfTask(taskId: string): ResultRecord | undefined {
    const row = this.#queries.resultOfTask.get(taskId);
    return row && resultOf(row);
  }

  resultOfCamera(cameraId: string, resultId: string): ResultRecord | undefined {
    const row = this.#queries.resultOfCamera.get(cameraId, resultId);
    return row && resultOf(row);
  }

  resultsOfCamera(cameraId: string, { limit, cursor }: PageOptions): Page<ResultRecord> {
    const rows = this.#queries.resultsOfCamera.all(cameraId, cursor ?? afterAllIds, limit + 1);
    return pageOf(rows.map(resultOf), limit);
  }

  highestReport(cameraId: string, device: string): number {
    return this.#queries.highestReport.get(cameraId, device)?.highest ?? 0;
  }

  hasReport(cameraId: string, device: string, report: number): boolean {
    return this.#queries.report.get(cameraId, device, report) !== undefined;
  }

  event(id: string): EventRecord | undefined {
    const row = this.#queries.event.get(id);
    return row && eventOf(row);
  }

  events({ limit, cursor, ...filter }: PageOptions & EventFilter): Page<EventRecord> {
    const { camera = null, label = null, zone = null, fromMs = 0, toMs = Number.MAX_SAFE_INTEGER } = filter;
    const { events, eventsOfCamera } = this.#queries;
    const others = [
      label,
      label,
      zone,
      zone,
      Math.ceil(fromMs),
      Math.ceil(toMs),
      cursor ?? afterAllIds,
      limit + 1,
    ] as const;
    const rows = camera === null ? events.all(...others) : eventsOfCamera.all(camera, ...others);
    return pageOf(rows.map(eventOf), limit);
  }

  blob(digest: string): BlobRecord | undefined {
    const row = this.#queries.blob.get(digest);
    return row && blobOf(row);
  }

  unusedBlobs(beforeMs: number, limit: number): readonly BlobRecord[] {
    return this.#queries.unusedBlobs.all(beforeMs, limit).map(blobOf);
  }

  /** Ended tasks, results of cameras and events that are past their time, the oldest first, at most `limit` of each. */
  past(
    retention: Retention,
    nowMs: number,
    limit: number,
  ): { readonly tasks: readonly string[]; readonly results: readonly number[]; readonly events: readonly string[] } {
    const { oldTasks, oldReports, oldEvents, taskCount, reportCount, eventCount } = this.#queries;
    // How many must go for being too many; the oldest ones go, so those that are too old are among them or come next.
    const tasksOver = (taskCount.get()?.count ?? 0) - retention.endedTasks;
    const reportsOver = (reportCount.get()?.count ?? 0) - retention.cameraResults;
    const eventsOver = (eventCount.get()?.count ?? 0) - retention.events;
    const tooOld = (atMs: number, ageMs: number) => atMs < nowMs - ageMs;
    return {
      tasks: oldTasks
        .all(limit)
        .filter(({ at_ms }, index) => index < tasksOver || tooOld(at_ms, retention.endedTaskAgeMs))
        .map(({ id }) => id),
      results: oldReports
        .all(limit)
        .filter(({ at_ms }, index) => index < reportsOver || tooOld(at_ms, retention.cameraResultAgeMs))
        .map(({ id }) => id),
      events: oldEvents
        .all(limit)
        .filter(({ at_ms }, index) => index < eventsOver || tooOld(at_ms, retention.eventAgeMs))
        .map(({ id }) => id),
    };
  }
}

/** Sorts after every id: those are lower-case letters, digits and `_`. */
const afterAllIds = '~';

function prepareAll(database: DatabaseSync) {
  function query<Row>(sql: string): Query<Row> {
    const statement = database.prepare(sql);
    return {
      all: (...parameters) => statement.all(...parameters) as unknown as Row[],
      get: (...parameters) => statement.get(...parameters) as unknown as Row | undefined,
    };
  }
  // The state is written out, or the index that leaves some out would not be used.
  function inState(state: TaskState): Query<TaskRow> {
    return query(`SELECT * FROM tasks WHERE state = '${state}' AND id < ? ORDER BY id DESC LIMIT ?`);
  }
  function eventsWhere(condition: string): Query<EventRow> {
    return query(`SELECT * FROM events WHERE ${condition} (? IS NULL OR label = ?)
      AND (? IS NULL OR EXISTS (SELECT 1 FROM json_each(zones) WHERE json_each.key = ?))
      AND started_at_ms >= ? AND started_at_ms < ? AND id < ? ORDER BY id DESC LIMIT ?`);
  }
  return {
    devices: query<DeviceRow>('SELECT * FROM devices'),
    tokens: query<TokenRow>('SELECT * FROM tokens'),
    cameras: query<CameraRow>('SELECT * FROM cameras'),
    apiKeys: query<ApiKeyRow>('SELECT * FROM api_keys'),
    webhooks: query<WebhookRow>('SELECT * FROM webhooks ORDER BY id'),
    unfinished: query<TaskRow>(`SELECT * FROM tasks WHERE state IN ('queued', 'running') ORDER BY id`),
    ownSequence: query<{ next: number }>('SELECT next FROM own_sequence'),
    received: query<{ sender: string; sequence: number }>('SELECT sender, sequence FROM received_sequences'),
    task: query<TaskRow>('SELECT * FROM tasks WHERE id = ?'),
    taskByKey: query<TaskRow>('SELECT * FROM tasks WHERE idempotency_key = ?'),
    tasks: query<TaskRow>('SELECT * FROM tasks WHERE id < ? ORDER BY id DESC LIMIT ?'),
    tasksByState: {
      queued: inState('queued'),
      running: inState('running'),
      succeeded: inState('succeeded'),
      failed: inState('failed'),
      expired: inState('expired'),
      cancelled: inState('cancelled'),
    },
    resultOfTask: query<ResultRow>('SELECT * FROM results WHERE task_id = ?'),
    resultOfCamera: query<ResultRow>('SELECT * FROM results WHERE camera_id = ? AND id = ?'),
    resultsOfCamera: query<ResultRow>('SELECT * FROM results WHERE camera_id = ? AND id < ? ORDER BY id DESC LIMIT ?'),
    highestReport: query<{ highest: number | null }>(
      'SELECT max(report) AS highest FROM results WHERE camera_id = ? AND device = ?',
    ),
    report: query<{ id: string }>('SELECT id FROM results WHERE camera_id = ? AND device = ? AND report = ?'),
    eventsGoingOn: query<EventRow>('SELECT * FROM events WHERE ended_at_ms IS NULL'),
    event: query<EventRow>('SELECT * FROM events WHERE id = ?'),
    events: eventsWhere(''),
    eventsOfCamera: eventsWhere('camera_id = ? AND'),
    blob: query<BlobRow>('SELECT * FROM blobs WHERE digest = ?'),
    unusedBlobs: query<BlobRow>('SELECT * FROM blobs WHERE last_used_ms < ? ORDER BY last_used_ms LIMIT ?'),
    oldTasks: query<{ id: string; at_ms: number }>(
      'SELECT id, ended_at_ms AS at_ms FROM tasks WHERE ended_at_ms IS NOT NULL ORDER BY ended_at_ms LIMIT ?',
    ),
    oldReports: query<{ id: number; at_ms: number }>(
      'SELECT rowid AS id, received_at_ms AS at_ms FROM results WHERE camera_id IS NOT NULL ORDER BY received_at_ms LIMIT ?',
    ),
    oldEvents: query<{ id: string; at_ms: number }>(
      'SELECT id, started_at_ms AS at_ms FROM events ORDER BY started_at_ms LIMIT ?',
    ),
    eventCount: query<{ count: number }>('SELECT count(*) AS count FROM events'),
    taskCount: query<{ count: number }>('SELECT count(*) AS count FROM tasks WHERE ended_at_ms IS NOT NULL'),
    reportCount: query<{ count: number }>('SELECT count(*) AS count FROM results WHERE camera_id IS NOT NULL'),
  };
}

function pageOf<Item extends { readonly id: string }>(items: readonly Item[], limit: number): Page<Item> {
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown, ...(items.length > limit && last && { nextCursor: last.id }) };
}
