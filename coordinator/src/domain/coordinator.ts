import type { ModelManifest } from '@shoal/models/manifest';
import type { AnalysisResult, Identity, PeerId, Service } from '@shoal/protocol';
import type { Camera, CameraSpec, CameraView, PushOutcome } from './camera.ts';
import type { DeviceView, FleetNews, PowerPolicy, TokenView } from './device.ts';
import type { Discovery } from './discovery.ts';
import type { EventCount, EventFilter, EventRecord } from './event.ts';
import type { AttemptState, BlobRef, ResultRecord, Task, TaskSpec, TaskState } from './task.ts';
import type { WebhookSpec, WebhookTrial, WebhookView } from './webhook.ts';

/**
 * The coordinator as its REST API, its command line and the simulator see it. All of it is plain code over ports; `createCoordinator` in
 * `compose.ts` makes it.
 */
export interface Coordinator extends Service {
  /** Takes no new task and begins no attempt; resolves when those that run have ended, or `signal` is aborted. */
  drain(signal: AbortSignal): Promise<void>;
  readonly identity: Identity;
  readonly devices: Devices;
  readonly tokens: Tokens;
  readonly tasks: Tasks;
  readonly results: Results;
  readonly events: Events;
  readonly cameras: Cameras;
  readonly discovery: Discovery;
  readonly pictures: Pictures;
  readonly blobs: Blobs;
  /** Those that tasks and cameras may ask for. */
  readonly models: readonly ModelManifest[];
  readonly apiKeys: ApiKeys;
  readonly webhooks: Webhooks;
  readonly health: () => Health;
  /** Counts since the start, for metrics. */
  readonly statistics: () => Statistics;
}

/** A page of a list, newest first. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Give it back to get the next page; `undefined` at the end. */
  readonly nextCursor?: string;
}

export interface PageOptions {
  readonly limit: number;
  readonly cursor?: string;
}

export interface Devices {
  list(): readonly DeviceView[];
  /** @throws `not-found` */
  get(id: PeerId): DeviceView;
  /** The fleet as it is, then what changes, within a second. A slow reader hears how a device is then. @throws `queue.full` */
  watch(signal: AbortSignal): AsyncIterable<FleetNews>;
  /** Whether a device has joined and was not revoked. */
  isMember(id: PeerId): boolean;
  /** Renames, labels, drains. Durable when it resolves. */
  update(
    id: PeerId,
    change: {
      readonly name?: string;
      readonly labels?: { readonly [name: string]: string };
      readonly draining?: boolean;
      readonly power?: PowerPolicy;
    },
  ): Promise<DeviceView>;
  /** Refuses the device from now on, and ends its connections. Its work is placed elsewhere. @throws `not-found` */
  revoke(id: PeerId): Promise<void>;
  /** Lets a device in that waits for approval. Durable when it resolves. @throws `not-found`; `conflict` when it does not wait */
  approve(id: PeerId): Promise<DeviceView>;
  /** Refuses a device that waits for approval, from now on. @throws as {@link approve} */
  reject(id: PeerId): Promise<void>;
}

export interface Tokens {
  /** Durable when it resolves. The word is shown once. */
  create(options: {
    readonly uses: number;
    readonly lifetimeMs: number;
    readonly labels: { readonly [name: string]: string };
    /** Who joins with it waits for approval. Left out: nobody does. */
    readonly approve?: boolean;
  }): Promise<{ readonly id: string; readonly word: string; readonly expiresAtMs: number }>;
  list(): readonly TokenView[];
  /** @throws `not-found` */
  revoke(id: string): Promise<void>;
}

/** Keys with which programs call the REST API. Only their digests are kept. */
export interface ApiKeys {
  /** Durable when it resolves. The key is shown once. With a camera it is for sending that camera's pictures, and nothing else. */
  create(name: string, camera?: string): Promise<ApiKeyView & { readonly key: string }>;
  /** Whose key this is; `undefined` for one that is not known, or is for a camera only. */
  verify(key: string): ApiKeyView | undefined;
  /** Whether pictures of the camera may be sent with this key. */
  mayPush(key: string, camera: string): boolean;
  list(): readonly ApiKeyView[];
  /** @throws `not-found` */
  revoke(id: string): Promise<void>;
}

export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** The one camera whose pictures it is for; left out: for everything. */
  readonly camera?: string;
}

export interface Tasks {
  /**
   * Resolves once the task is durable. The same idempotency key returns the first task. Whoever waits for its end anyway gives its record a moment
   * to be written along with others, or with that end.
   * @throws `input.invalid`, `not-found` (blob), `model.unknown`, `queue.full`, `conflict` (same key, other spec).
   */
  submit(spec: TaskSpec, idempotencyKey?: string, waitsForEnd?: boolean): Promise<Task>;
  /** @throws `not-found` */
  get(id: string): Promise<Task>;
  list(options: PageOptions & { readonly state?: TaskState }): Promise<Page<Task>>;
  /** Ends the task unless it has ended. Resolves with how it stands. */
  cancel(id: string): Promise<Task>;
  /** Resolves with the task when it has ended or `waitMs` are over, whichever is first. */
  wait(id: string, waitMs: number, signal: AbortSignal): Promise<Task>;
  /** Every change of the task from now on, the present state first; ends after a final state. */
  watch(id: string, signal: AbortSignal): AsyncIterable<Task>;
}

/** What went on before the cameras: stays, each from its start to its end. */
export interface Events {
  /** @throws `not-found` */
  get(id: string): Promise<EventRecord>;
  list(options: PageOptions & EventFilter): Promise<Page<EventRecord>>;
  /** Each event whenever it starts, changes or ends, once that is durable. Slow readers lose the oldest. */
  watch(filter: Pick<EventFilter, 'camera' | 'label'>, signal: AbortSignal): AsyncIterable<EventRecord>;
  counts(camera: string): readonly EventCount[];
}

/** Who is told of events by requests to a URL. */
export interface Webhooks {
  /**
   * Durable when it resolves. The secret is shown once.
   * @throws `input.invalid`; `auth.forbidden` for a URL that leads where it may not; `not-found` (camera); `queue.full`
   */
  create(spec: WebhookSpec): Promise<WebhookView & { readonly secret: string }>;
  /** URLs are redacted. */
  list(): readonly WebhookView[];
  /** What waits for it is dropped. @throws `not-found` */
  remove(id: string): Promise<void>;
  /** Sends something now. One that was switched off is on again when that arrives. @throws `not-found`, `rate-limited` */
  test(id: string, signal: AbortSignal): Promise<WebhookTrial>;
}

export interface Results {
  /** The kept result of a task. @throws `not-found` */
  ofTask(taskId: string): Promise<ResultRecord>;
  /** One of those that {@link ofCamera} lists. @throws `not-found` */
  oneOfCamera(cameraId: string, resultId: string): Promise<ResultRecord>;
  ofCamera(cameraId: string, options: PageOptions): Promise<Page<ResultRecord>>;
  /** New results as they become durable. Slow readers lose the oldest. */
  watch(
    filter: { readonly camera?: string },
    signal: AbortSignal,
  ): AsyncIterable<{ readonly record: ResultRecord; readonly result: AnalysisResult }>;
  /** A file for `shoal verify`. @throws `not-found` when the device is not known any more. */
  bundle(record: ResultRecord): Uint8Array;
}

export interface Cameras {
  /** Durable when it resolves; assignment follows. */
  create(spec: CameraSpec): Promise<Camera>;
  /** @throws `not-found`, `input.invalid` */
  update(id: string, spec: CameraSpec): Promise<Camera>;
  /** @throws `not-found` */
  remove(id: string): Promise<void>;
  /** @throws `not-found` */
  get(id: string): CameraView;
  list(): readonly CameraView[];
  /**
   * A picture that a camera sent by itself, encoded.
   * @throws `not-found`; `conflict` for a camera that is read; `work.no-device` while no device watches it; `input.too-large`, `input.unsupported`
   */
  push(id: string, picture: Uint8Array): PushOutcome;
}

/** A picture of a camera, and what its pipeline saw on it. */
export interface LivePicture {
  readonly camera: string;
  readonly device: PeerId;
  readonly jpeg: Uint8Array;
  /** Clock of the device, ms since the Unix epoch. */
  readonly capturedAtMs: number;
  /** When it was captured by the coordinator's monotonic clock, ms. */
  readonly bornMs: number;
  /** Number of the report about it; `undefined` when it was not analysed. */
  readonly number?: number;
  readonly analysis?: AnalysisResult;
}

export interface Pictures {
  /** Pictures of some cameras as they come, the newest of each: who is slow gets fewer. @throws `not-found`, `input.invalid`, `queue.full` */
  watch(cameras: readonly string[], signal: AbortSignal): AsyncIterable<LivePicture>;
  /** The next one. @throws `not-found`; `timeout` with the reason when there is none */
  newest(camera: string, signal: AbortSignal): Promise<LivePicture>;
}

export interface Blobs {
  /** Stores bytes by digest; durable when it resolves. @throws `input.too-large`, `io.disk-full`. */
  put(content: AsyncIterable<Uint8Array>, mediaType: string, signal: AbortSignal): Promise<BlobRef>;
  stat(digest: string): Promise<BlobRef | undefined>;
  /** @throws `not-found` */
  read(digest: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array>;
}

export interface Health {
  readonly status: 'ok' | 'degraded';
  readonly checks: { readonly [name: string]: { readonly ok: boolean; readonly detail: string } };
  readonly devices: { readonly online: number; readonly known: number };
  readonly tasks: { readonly queued: number; readonly running: number };
}

export interface Statistics {
  readonly tasksSubmitted: number;
  readonly tasksEnded: Readonly<Record<TaskState, number>>;
  readonly attemptsEnded: Readonly<Record<AttemptState, number>>;
  readonly placementsMade: number;
  /** Times that a task was looked at and no device could take it. */
  readonly placementsFailed: number;
  readonly resultsKept: number;
  /** Results that came a second time, or too late: acknowledged and dropped. */
  readonly resultsDropped: number;
  /** Results that were not believed: the statement or its signature did not fit. */
  readonly resultsRefused: number;
  readonly commits: number;
  readonly changesCommitted: number;
  /** Adverts of capabilities that came by gossip: hints. */
  readonly advertsHeard: number;
  /** Frames that were not believed, by error code. */
  readonly framesRefused: Readonly<Record<string, number>>;
}
