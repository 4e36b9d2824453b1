import type { EventRecord } from '../domain/index.ts';

/** One thing of an event as Frigate's `frigate/events` says it (docs.frigate.video, MQTT), as far as we know it. */
function frigateSide(event: EventRecord, cameraName: string) {
  const { x, y, width, height } = event.box;
  const zones = Object.keys(event.zones);
  return {
    id: event.id,
    camera: cameraName,
    frame_time: (event.endedAtMs ?? event.startedAtMs) / 1_000,
    label: event.label,
    sub_label: null,
    top_score: event.topScore,
    score: event.topScore,
    false_positive: false,
    start_time: event.startedAtMs / 1_000,
    end_time: event.endedAtMs === undefined ? null : event.endedAtMs / 1_000,
    box: [x, y, x + width, y + height].map(Math.round),
    area: Math.round(width * height),
    current_zones: event.endedAtMs === undefined ? zones : [],
    entered_zones: zones,
    has_snapshot: false,
    has_clip: false,
    stationary: false,
    active: event.endedAtMs === undefined,
  };
}

/** `before` is how it was last told, `undefined` when it begins. */
export function frigateEvent(event: EventRecord, before: EventRecord | undefined, cameraName: string): string {
  const after = frigateSide(event, cameraName);
  return JSON.stringify({
    type: event.endedAtMs !== undefined ? 'end' : before ? 'update' : 'new',
    before: before ? frigateSide(before, cameraName) : after,
    after,
  });
}
