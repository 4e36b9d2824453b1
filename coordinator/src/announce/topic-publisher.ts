import type { Service } from '@shoal/protocol';

/** A broker of others, on which is said what goes on here. */
export interface TopicPublisher extends Service {
  /** Dropped while there is no connection: what lasts is said again when there is one. */
  publish(topic: string, payload: string | Uint8Array, options?: { readonly retain?: boolean }): void;
  /** Calls back at each connection. */
  onConnect(action: () => void): void;
  /** Hears what is said on the topics of the filter. Before start. */
  listen(filter: string, hear: (topic: string, payload: string) => void): void;
}
