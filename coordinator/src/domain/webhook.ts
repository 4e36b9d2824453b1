/** What of an event is told. */
export const webhookTypes = ['event.started', 'event.updated', 'event.ended'] as const;
export type WebhookType = (typeof webhookTypes)[number];

/** What somebody is told of by requests to a URL. */
export interface WebhookSpec {
  /** `http:` or `https:`. May carry secrets in its path and query: shown and logged only redacted. */
  readonly url: string;
  /** At least one. */
  readonly types: readonly WebhookType[];
  /** Only events of this camera, of this label, that entered this zone. */
  readonly camera?: string;
  readonly label?: string;
  readonly zone?: string;
  /** With the newest picture of the camera. */
  readonly picture: boolean;
}

export interface WebhookRecord extends WebhookSpec {
  readonly id: string;
  /** What is sent is signed with this. */
  readonly secret: Uint8Array;
  readonly createdAtMs: number;
  /** Since when nothing is sent any more, and why. */
  readonly off?: { readonly atMs: number; readonly reason: string };
}

/** Counts are since the coordinator started. */
export interface WebhookView extends Omit<WebhookRecord, 'secret'> {
  /** Deliveries that wait, the one that is tried included. */
  readonly waiting: number;
  readonly delivered: number;
  /** Tries that failed. */
  readonly failed: number;
  /** Deliveries that never came about: tried for too long, refused too often, or too many waited. */
  readonly dropped: number;
  /** How the last try went wrong; `undefined` when it did not. */
  readonly lastFailure?: { readonly atMs: number; readonly reason: string };
}

/** What became of a test. */
export interface WebhookTrial {
  readonly delivered: boolean;
  /** Of the answer, when there was one. */
  readonly status?: number;
  /** Why it was not delivered. */
  readonly reason?: string;
  readonly tookMs: number;
}
