import { type PeerId, roleOf } from '../../identity/index.ts';
import type { Link } from '../link.ts';
import { MqttLink, type MqttLinkOptions, prefixOf } from './mqtt-link.ts';
import { online, parseTopic, topicFilters, topicsOf } from './topics.ts';

/**
 * The coordinator's end of an MQTT link over any broker that already runs. (Over its own broker it needs no socket: see the embedded broker's
 * `link()`.) @throws `input.invalid` for an address or prefix that is none.
 */
export function createMqttCoordinatorLink(options: MqttLinkOptions): Link {
  const prefix = prefixOf(options);
  const filters = topicFilters(prefix);
  /** Bounded by what the broker retains. */
  const reachable = new Set<PeerId>();
  return new MqttLink(options, {
    coordinator: options.identity.id,
    subscriptions: [filters.up, filters.available],
    will: undefined,
    farewell: undefined,
    topicTo: (peer) => (roleOf(peer) === 'device' ? topicsOf(prefix, peer).down : undefined),
    onMessage: (topic, payload, listeners) => {
      const parsed = parseTopic(prefix, topic);
      if (parsed?.kind === 'up') listeners.frame(payload, parsed.device);
      if (parsed?.kind !== 'available') return;
      const isOnline = payload.toString('latin1', 0, 16) === online;
      if (isOnline) reachable.add(parsed.device);
      else reachable.delete(parsed.device);
      listeners.peer(parsed.device, isOnline);
    },
    onUp: () => {},
    onDown: (listeners) => {
      for (const device of reachable) listeners.peer(device, false);
      reachable.clear();
    },
  });
}
