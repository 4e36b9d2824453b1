import { createServer, type Server, type Socket } from 'node:net';
import { type Clock, KeyProofs, type Link, type Logger, type Service, ShoalError } from '@shoal/protocol';
import { defaultTopicPrefix, guardPackets, packetOverheadBytes } from '@shoal/protocol/mqtt';
import { Aedes } from 'aedes';
import { BrokerLink } from './broker-link.ts';
import { rulesOf } from './topic-rules.ts';

export interface EmbeddedBrokerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** When the port is taken, how many of the following ones to try. Default 0: then it is an error. */
  readonly portSearch?: number;
  /** First levels of every topic. Default `shoal`. */
  readonly prefix?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<EmbeddedBrokerLimits>;
}

export interface EmbeddedBrokerLimits {
  readonly maxFrameBytes: number;
  readonly maxConnections: number;
  /** A socket must have said CONNECT within this time, ms. */
  readonly helloTimeoutMs: number;
  /** A client that has not read what waits for it (at most `maxBufferedBytes`) within this time is cut off, ms. */
  readonly drainTimeoutMs: number;
  /** Bytes that may wait for one client before a frame for it is refused. */
  readonly maxBufferedBytes: number;
  /** How far the clock in a proof of key possession may be from ours, ms. */
  readonly proofWindowMs: number;
}

const defaultEmbeddedBrokerLimits: EmbeddedBrokerLimits = {
  maxFrameBytes: 1 << 20,
  maxConnections: 10_000,
  helloTimeoutMs: 10_000,
  drainTimeoutMs: 60_000,
  maxBufferedBytes: 4 << 20,
  // Boards without a battery-backed clock start in the past and may never reach a time server: the window is wide. All that a stolen proof gives is
  // a connection on which nothing can be forged.
  proofWindowMs: 24 * 3_600_000,
};

export interface EmbeddedBroker extends Service {
  /** The port it listens on. @throws `closed` before start. */
  readonly port: number;
  /** The coordinator's end, without a socket in between. Always the same one; it works while the broker runs. */
  link(): Link;
  /** Open sockets, those that have not said who they are included. */
  readonly connections: number;
}

/** A packet that comes before anybody has shown who it is: a CONNECT with a proof and a last will needs less than half of this. */
const firstPacketBytes = packetOverheadBytes;

/** An MQTT 3.1.1 broker in this process, for devices only: each is believed to be who its key says, and can use its own topics alone. */
export function createEmbeddedBroker(options: EmbeddedBrokerOptions): EmbeddedBroker {
  return new AedesBroker(options);
}

class AedesBroker implements EmbeddedBroker {
  readonly name = 'mqtt-broker';
  readonly #options: EmbeddedBrokerOptions;
  readonly #limits: EmbeddedBrokerLimits;
  readonly #prefix: string;
  readonly #link: BrokerLink;
  readonly #sockets = new Set<Socket>();
  #aedes: Aedes | undefined;
  #server: Server | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options;
    this.#limits = { ...defaultEmbeddedBrokerLimits, ...options.limits };
    this.#prefix = options.prefix ?? defaultTopicPrefix;
    this.#link = new BrokerLink({ clock: options.clock, prefix: this.#prefix, limits: this.#limits });
  }

  get port(): number {
    const address = this.#server?.address();
    if (!address || typeof address === 'string') throw new ShoalError('closed', 'the broker is not started');
    return address.port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  link(): Link {
    return this.#link;
  }

  /** @throws `conflict` when the port (and those after it that may be searched) is taken; `io.failed` when it cannot be had. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#server) throw new ShoalError('closed', 'the broker was started before');
    const aedes = await this.#createAedes();
    this.#aedes = aedes;
    const server = createServer({ noDelay: true }, (socket) => this.#accept(aedes, socket));
    server.maxConnections = this.#limits.maxConnections;
    this.#server = server;
    try {
      await this.#listen(server);
    } catch (error) {
      await this.stop();
      throw error;
    }
    server.on('error', (error) => this.#options.logger.error('the broker cannot accept', { error: error.message }));
    server.on('drop', () =>
      this.#options.logger.warn('connection refused: too many', { limit: this.#limits.maxConnections }),
    );
    this.#link.attach(aedes);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #createAedes(): Promise<Aedes> {
    const { clock, logger } = this.#options;
    const { helloTimeoutMs, drainTimeoutMs, proofWindowMs } = this.#limits;
    const proofs = new KeyProofs(clock, { context: 'shoal-mqtt-v1', windowMs: proofWindowMs, mostRemembered: 100_000 });
    const aedes = await Aedes.createBroker({
      connectTimeout: helloTimeoutMs,
      drainTimeout: drainTimeoutMs,
      // Nobody here needs QoS 2; what of it waits for its second half is memory.
      maxInflightInbound: 4,
      maxTopicLevels: 16,
      ...rulesOf({ prefix: this.#prefix, proofs, logger }),
    });
    aedes.on('clientError', (client, error) =>
      logger.debug('connection ended', { client: client.id, why: error.message }),
    );
    aedes.on('connectionError', (_client, error) =>
      logger.debug('connection ended before it began', { why: error.message }),
    );
    return aedes;
  }

  #accept(aedes: Aedes, socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const laterBytes = this.#limits.maxFrameBytes + packetOverheadBytes;
    guardPackets(socket, { firstBytes: firstPacketBytes, laterBytes });
    aedes.handle(socket);
  }

  async #listen(server: Server): Promise<void> {
    const { host, port, portSearch = 0 } = this.#options;
    const last = port === 0 ? port : Math.min(port + portSearch, 65_535);
    for (let candidate = port; ; candidate++) {
      try {
        await listenOn(server, host, candidate);
        return;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== 'EADDRINUSE') {
          throw new ShoalError('io.failed', `the MQTT broker cannot listen on ${host}:${candidate}: ${message}`, {
            host,
            port: candidate,
          });
        }
        if (candidate >= last) {
          const range = last > port ? `${port} to ${last} are` : `${port} is`;
          throw new ShoalError(
            'conflict',
            `MQTT port ${range} taken on ${host}: choose another one (0 for any free port)`,
            { host, port },
          );
        }
      }
    }
  }

  async #stop(): Promise<void> {
    this.#link.detach();
    const closed = new Promise<void>((resolve) => {
      if (this.#server?.listening) this.#server.close(() => resolve());
      else resolve();
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#aedes) this.#aedes.close(resolve);
    else resolve();
    await promise;
    // Those that never said CONNECT are not known to aedes.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
