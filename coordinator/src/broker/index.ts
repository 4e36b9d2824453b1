export {
  createEmbeddedBroker,
  type EmbeddedBroker,
  type EmbeddedBrokerLimits,
  type EmbeddedBrokerOptions,
} from './embedded-broker.ts';
