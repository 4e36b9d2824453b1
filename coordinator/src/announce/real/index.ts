export { createMqttTopics } from './mqtt-topics.ts';
