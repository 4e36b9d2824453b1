import type { Duplex } from 'node:stream';
import { roleOf } from '@shoal/protocol';
import { defaultTopicPrefix, parseTopic, topicFilters } from '@shoal/protocol/mqtt';
import type { Client } from 'aedes';

/** User name of who wants to see which devices are there. */
export const readerName = 'reader';

export interface ReaderOptions {
  readonly prefix?: string | undefined;
  /** Whether this is the password of a reader. */
  readonly accepts: (password: string) => boolean;
  /** Whether nobody on the network hears what is said on this stream. */
  readonly isPrivate: (stream: Duplex) => boolean;
}

/** Programs of other people, Home Assistant for one: they see which devices are there, and nothing else, and say nothing. */
export class Readers {
  readonly #options: ReaderOptions;
  readonly #clients = new WeakSet<Client>();
  readonly #prefix: string;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#prefix = options.prefix ?? defaultTopicPrefix;
  }

  /** Why this one is not let in; `undefined`: it is, from now on. */
  whyNot(client: Client, password: string): string | undefined {
    if (!this.#options.isPrivate(client.conn))
      return 'a reader comes over TLS, or from this machine: its password is an API key';
    // It would take the place of that device.
    if (roleOf(client.id) !== undefined) return 'the client id is that of a device';
    if (!this.#options.accepts(password)) return 'the API key is not known here';
    this.#clients.add(client);
    return undefined;
  }

  has(client: Client): boolean {
    return this.#clients.has(client);
  }

  maySubscribe(filter: string): boolean {
    return filter === topicFilters(this.#prefix).available || parseTopic(this.#prefix, filter)?.kind === 'available';
  }
}
