import { toBase64 } from '@shoal/protocol';
import { type EventRecord, eventAnswer, type LivePicture, type WebhookType } from '../domain/index.ts';

/** CloudEvents 1.0, structured mode, JSON (cloudevents.io, JSON event format 3). */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** The same however often it is sent. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: object;
}

export const cloudEventMediaType = 'application/cloudevents+json; charset=utf-8';

interface Context {
  /** Id of the coordinator. */
  readonly coordinator: string;
  readonly nowMs: number;
}

export function cloudEventOf(
  event: EventRecord,
  type: WebhookType,
  cameraName: string | undefined,
  context: Context,
): CloudEvent {
  return {
    ...envelope(`dev.shoal.${type}`, idOf(event, type), timeOf(event, type, context.nowMs), context),
    subject: event.camera,
    data: { ...eventAnswer(event), ...(cameraName !== undefined && { cameraName }) },
  };
}

/** @param id one that no other has */
export function testEvent(id: string, context: Context): CloudEvent {
  return {
    ...envelope('dev.shoal.webhook.test', id, context.nowMs, context),
    data: { message: 'Shoal reaches you.' },
  };
}

/** As it is sent. The picture stands in `data.snapshot`: CloudEvents has `data` or `data_base64`, not both. */
export function bodyOf(event: CloudEvent, picture: LivePicture | undefined): string {
  if (!picture) return JSON.stringify(event);
  const capturedAt = new Date(picture.capturedAtMs).toISOString();
  const snapshot = { mediaType: 'image/jpeg', capturedAt, base64: toBase64(picture.jpeg) };
  return JSON.stringify({ ...event, data: { ...event.data, snapshot } });
}

function envelope(type: string, id: string, timeMs: number, { coordinator }: Context) {
  return {
    ...({ specversion: '1.0', id, source: `urn:shoal:${coordinator}`, type } as const),
    time: new Date(timeMs).toISOString(),
    datacontenttype: 'application/json' as const,
  };
}

/** One for each event and phase: who gets it again can tell. */
function idOf({ id, lastResult }: EventRecord, type: WebhookType): string {
  const phase = type.replace('event.', '');
  return type === 'event.updated' ? `${id}-${phase}-${lastResult}` : `${id}-${phase}`;
}

function timeOf({ startedAtMs, endedAtMs }: EventRecord, type: WebhookType, nowMs: number): number {
  if (type === 'event.started') return startedAtMs;
  return type === 'event.ended' ? (endedAtMs ?? nowMs) : nowMs;
}
