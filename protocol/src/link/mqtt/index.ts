export { type BrokerAddress, parseBrokerAddress } from './broker-address.ts';
export { createMqttCoordinatorLink } from './coordinator-link.ts';
export { createMqttDeviceLink, type MqttDeviceLinkOptions } from './device-link.ts';
export { guardPackets } from './guard-packets.ts';
export type { MqttLinkLimits, MqttLinkOptions } from './mqtt-link.ts';
export { encodePublishHeader, packetOverheadBytes } from './packet-bytes.ts';
export { PacketFramer, type PacketLimits } from './packet-framer.ts';
export {
  type DeviceTopics,
  defaultTopicPrefix,
  type Presence,
  parseTopic,
  presenceIn,
  topicFilters,
  topicsOf,
} from './topics.ts';
export { isVouchedFor, vouchForKey } from './vouched-certificate.ts';
export { type WriteOptions, writeFrame } from './write-frame.ts';
