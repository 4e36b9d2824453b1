import { type Logger, redactSource, ShoalError } from '@shoal/protocol';
import { connect, type MqttClient } from 'mqtt';
import type { TopicPublisher } from '../topic-publisher.ts';

export interface MqttTopicsOptions {
  /** `mqtt://USER:PASSWORD@HOST:PORT`, or `mqtts`, `ws`, `wss`. */
  readonly url: string;
  /** Retained there as `offline` when the connection dies. */
  readonly availableTopic: string;
  readonly logger: Logger;
}

const schemes: ReadonlySet<string> = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:']);
const reconnectMs = 5_000;
const goodbyeMs = 1_000;

/** @throws `input.invalid` for an address that is none. */
export function createMqttTopics({ url, availableTopic, logger }: MqttTopicsOptions): TopicPublisher {
  if (!schemes.has(URL.parse(url)?.protocol ?? ''))
    throw new ShoalError(
      'input.invalid',
      `${redactSource(url)} is no address of a broker: mqtt://USER:PASSWORD@HOST:PORT`,
    );
  const heard: { readonly filter: string; readonly hear: (topic: string, payload: string) => void }[] = [];
  const onConnect: (() => void)[] = [];
  let client: MqttClient | undefined;
  return {
    name: 'announcements',
    onConnect: (action) => void onConnect.push(action),
    listen: (filter, hear) => void heard.push({ filter, hear }),
    publish(topic, payload, { retain = false } = {}) {
      if (client?.connected) client.publish(topic, Buffer.from(payload), { qos: 0, retain });
    },
    async start(signal) {
      signal.throwIfAborted();
      let said = '';
      const mqtt = connect(url, {
        reconnectPeriod: reconnectMs,
        // Nothing waits for a connection: what lasts is said anew at each.
        queueQoSZero: false,
        will: { topic: availableTopic, payload: Buffer.from('offline'), qos: 0, retain: true },
      });
      client = mqtt;
      mqtt.on('connect', () => {
        said = '';
        logger.info('announces what goes on', { broker: redactSource(url) });
        for (const { filter } of heard) mqtt.subscribe(filter, { qos: 0 });
        for (const action of onConnect) action();
      });
      mqtt.on('message', (topic, payload) => {
        for (const { filter, hear } of heard) if (isMatch(filter, topic)) hear(topic, payload.toString('utf8', 0, 256));
      });
      mqtt.on('error', ({ message }) => {
        if (message !== said) logger.warn('nothing is announced', { broker: redactSource(url), why: message });
        said = message;
      });
    },
    async stop() {
      const mqtt = client;
      client = undefined;
      if (!mqtt) return;
      const patience = setTimeout(() => mqtt.end(true), goodbyeMs);
      await mqtt.endAsync(false).finally(() => clearTimeout(patience));
    },
  };
}

/** `+` stands for one level. */
function isMatch(filter: string, topic: string): boolean {
  const [wanted, levels] = [filter.split('/'), topic.split('/')];
  return wanted.length === levels.length && wanted.every((level, i) => level === '+' || level === levels[i]);
}
