import type { PeerId } from '../../identity/index.ts';
import type { Link } from '../link.ts';
import { MqttLink, type MqttLinkOptions, prefixOf } from './mqtt-link.ts';
import { offline, online, topicsOf } from './topics.ts';

export interface MqttDeviceLinkOptions extends MqttLinkOptions {
  /** The one peer. It counts as reachable while the broker is. */
  readonly coordinator: PeerId;
}

/** A device's end of an MQTT link. @throws `input.invalid` for an address or prefix that is none. */
export function createMqttDeviceLink(options: MqttDeviceLinkOptions): Link {
  const topics = topicsOf(prefixOf(options), options.identity.id);
  const { coordinator } = options;
  return new MqttLink(options, {
    coordinator,
    subscriptions: [topics.down],
    will: { topic: topics.available, payload: offline },
    farewell: { topic: topics.available, payload: offline },
    topicTo: (peer) => (peer === coordinator ? topics.up : undefined),
    onMessage: (_topic, payload, listeners) => listeners.frame(payload, coordinator),
    onUp: (listeners, publish) => {
      publish(topics.available, online);
      listeners.peer(coordinator, true);
    },
    onDown: (listeners) => listeners.peer(coordinator, false),
  });
}
