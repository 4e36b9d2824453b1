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

/** While a broker cannot be reached, one line in so many ms says so: days without it must not fill a log. */
const sayEveryMs = 60_000;

/** Stays connected to a broker for ever: whatever ends a connection, the next is tried after a jittered wait. */
export class MqttSession {
  readonly #deps: SessionDeps;
  readonly #options: SessionOptions;
  readonly #stop = new AbortController();
  #connection: MqttConnection | undefined;
  #running: Promise<void> | undefined;
  /** When it was last said that there is no connection, monotonic ms; `undefined` once there was one again. */
  #saidMs: number | undefined;

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
    const { clock, random } = this.#deps;
    const { name, backoff, stableMs } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const startedMs = clock.monotonicMs();
      const ended = await this.#connectOnce();
      if (signal.aborted) return;
      if (clock.monotonicMs() - startedMs >= stableMs) attempt = 0;
      const waitMs = backoffMs(attempt, backoff, random);
      this.#say(ended, waitMs);
      await delay(clock, `${name}: reconnect`, waitMs, signal).catch(() => {});
    }
  }

  #say({ code, message }: ShoalError, waitMs: number): void {
    const { clock, logger } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (this.#saidMs !== undefined && nowMs - this.#saidMs < sayEveryMs) return;
    this.#saidMs = nowMs;
    logger.warn('not connected to the broker, trying again', { code, why: message, waitMs: Math.round(waitMs) });
  }

  /** One connection from beginning to end. Returns why it ended. */
  async #connectOnce(): Promise<ShoalError> {
    const connection = new MqttConnection(this.#deps.clock, this.#options.connection());
    this.#connection = connection;
    try {
      await connection.open();
      await connection.subscribe(this.#options.subscriptions);
      this.#saidMs = undefined;
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
