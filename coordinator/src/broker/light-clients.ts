import type { Duplex } from 'node:stream';
import type { Client } from 'aedes';

/** The inside of a client of aedes 1.2.0, as far as it is made lighter here. */
interface Inside {
  _parser: Parser | SharedParser;
  /** Stops `stream.finished` from listening. */
  _eos: () => void;
  /** Of what is forwarded to it through the broker: here nothing is. */
  duplicates: object;
}

/** Of mqtt-packet. */
interface Parser {
  client: Client;
  settings: object;
  parse(bytes: Buffer): number;
  removeAllListeners(event: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** MQTT 3.1.1 is what devices speak here. What the parser was told by one device must not count for the next. */
const settings = { protocolVersion: 4 };

/** Reads the packets of one client with the parser of all. */
class SharedParser {
  readonly #owner: LightClients;
  readonly #client: Client;

  constructor(owner: LightClients, client: Client) {
    this.#owner = owner;
    this.#client = client;
  }

  parse(bytes: Buffer): number {
    return this.#owner.parse(this.#client, bytes);
  }

  /** Of a client that is closed. */
  removeAllListeners(): void {}
}

/**
 * Takes from the clients of aedes what a device that was let in does not need, half of what each takes: a parser, that holds a stream, that holds the
 * CONNECT with its password; the listeners of `stream.finished`. One parser can read for all since it is only given whole packets (`guardPackets`).
 */
export class LightClients {
  #parser: Parser | undefined;
  #current: Client | undefined;

  /** May be called more than once. An aedes that looks different inside is left as it is. */
  lighten(client: Client): void {
    const inside = client as unknown as Inside;
    const own = inside._parser;
    if (own instanceof SharedParser || !looksFamiliar(inside)) return;
    this.#parser ??= this.#adopt(own);
    inside._parser = new SharedParser(this, client);
    inside.duplicates = new Nothing();
    inside._eos();
    inside._eos = ignore;
    client.conn.on('close', closeClient);
  }

  parse(client: Client, bytes: Buffer): number {
    const parser = this.#parser as Parser;
    this.#current = client;
    parser.client = client;
    parser.settings = settings;
    return parser.parse(bytes);
  }

  /** The parser of the first one. */
  #adopt(parser: Parser): Parser {
    parser.removeAllListeners('error');
    parser.on('error', (error) => this.#current?.emit('error', error));
    return parser;
  }
}

function looksFamiliar({ _parser, _eos, duplicates }: Inside): boolean {
  return (
    typeof (_parser as Parser | undefined)?.parse === 'function' &&
    typeof _eos === 'function' &&
    typeof duplicates === 'object'
  );
}

function closeClient(this: Duplex): void {
  (this as Duplex & { readonly client: Client }).client.close();
}

function ignore(): void {}

/** Has no properties, not even inherited ones, and takes a quarter of what `Object.create(null)` does. */
const Nothing = function Nothing() {} as unknown as new () => object;
Nothing.prototype = Object.create(null);
