import { asShoalError, ShoalError } from '../../errors/index.ts';
import { type BackoffOptions, backoffMs, type Clock, delay, type Logger, type Random } from '../../runtime/index.ts';
import { type ConnectionOptions, MqttConnection } from './connection.ts';

export interface SessionDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface SessionOptions {
  readonly name: string;
  /** Made anew for each connection: credentials age. */
  connection(): ConnectionOptions;
  readonly subscriptions: readonly string[];
  readonly backoff: BackoffOptions;
  /** A connection that held this long was a good one: the next wait starts short again. */
  readonly stableMs: number;
  /** Longest wait for a tidy goodbye, ms. */
  readonly closeGraceMs: number;
  /** Connected, and everything is subscribed. */
  onUp(connection: MqttConnection): void;
  onDown(): void;
}

/** Stays connected to a broker for ever: whatever ends a connection, the next is tried after a jittered wait. */
export class MqttSession {
  readonly #deps: SessionDeps;
  readonly #options: SessionOptions;
  readonly #stop = new AbortController();
  #connection: MqttConnection | undefined;
  #running: Promise<void> | undefined;

  constructor(deps: SessionDeps, options: SessionOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The connection, once the broker has accepted it: a frame may come before we know that we are subscribed, and be answered at once. */
  get connection(): MqttConnection | undefined {
    return this.#connection?.isOpen ? this.#connection : undefined;
  }

  start(): void {
    this.#running ??= this.#run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new ShoalError('closed', `${this.#options.name} was stopped`));
    await this.#connection?.close(this.#options.closeGraceMs);
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#deps;
    const { name, backoff, stableMs } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const startedMs = clock.monotonicMs();
      const ended = await this.#connectOnce();
      if (signal.aborted) return;
      if (clock.monotonicMs() - startedMs >= stableMs) attempt = 0;
      const waitMs = backoffMs(attempt, backoff, random);
      logger.warn('not connected to the broker, trying again', {
        code: ended.code,
        why: ended.message,
        waitMs: Math.round(waitMs),
      });
      await delay(clock, `${name}: reconnect`, waitMs, signal).catch(() => {});
    }
  }

  /** One connection from beginning to end. Returns why it ended. */
  async #connectOnce(): Promise<ShoalError> {
    const connection = new MqttConnection(this.#deps.clock, this.#options.connection());
    this.#connection = connection;
    try {
      await connection.open();
      await connection.subscribe(this.#options.subscriptions);
      this.#options.onUp(connection);
    } catch (error) {
      await connection.close(0);
      return asShoalError(error);
    }
    const ended = await connection.closed;
    this.#options.onDown();
    return ended ?? new ShoalError('closed', 'the connection was closed');
  }
}
