import { type PeerId, roleOf } from '../../identity/index.ts';

export const defaultTopicPrefix = 'shoal';

export const online = 'online';
export const offline = 'offline';

export type Presence = typeof online | typeof offline;

/** What a device, or its last will, says of whether it is there. */
export function presenceIn(payload: string | Buffer): Presence | undefined {
  if (payload.length > offline.length) return undefined;
  const text = typeof payload === 'string' ? payload : payload.toString('latin1');
  return text === online || text === offline ? text : undefined;
}

/** Where a device and the coordinator meet on a broker: `<prefix>/d/<device id>/up`, `/down` and `/available`. */
export interface DeviceTopics {
  /** Frames from the device. */
  readonly up: string;
  /** Frames for the device. */
  readonly down: string;
  /** `online` or `offline`, retained; the device's last will. */
  readonly available: string;
}

export function topicsOf(prefix: string, device: PeerId): DeviceTopics {
  const own = `${prefix}/d/${device}`;
  return { up: `${own}/up`, down: `${own}/down`, available: `${own}/available` };
}

/** The topics of all devices, as filters. */
export function topicFilters(prefix: string): { readonly up: string; readonly available: string } {
  return { up: `${prefix}/d/+/up`, available: `${prefix}/d/+/available` };
}

/** Which device a topic belongs to, and which of its topics it is. `undefined` for any other topic. */
export function parseTopic(
  prefix: string,
  topic: string,
): { readonly device: PeerId; readonly kind: keyof DeviceTopics } | undefined {
  const start = `${prefix}/d/`;
  if (!topic.startsWith(start)) return undefined;
  const slash = topic.indexOf('/', start.length);
  const device = topic.slice(start.length, slash);
  const kind = topic.slice(slash + 1);
  if (slash < 0 || roleOf(device) !== 'device') return undefined;
  return kind === 'up' || kind === 'down' || kind === 'available' ? { device, kind } : undefined;
}
