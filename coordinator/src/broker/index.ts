export {
  createEmbeddedBroker,
  type EmbeddedBroker,
  type EmbeddedBrokerLimits,
  type EmbeddedBrokerOptions,
  type Listening,
} from './embedded-broker.ts';
export type { ListenerKind, TlsIdentity } from './listener.ts';
export type { BrokerRules } from './topic-rules.ts';
