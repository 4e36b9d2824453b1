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
  /** Places where the broker may be. Each is tried in turn until one answers, and again from there when the connection breaks. */
  readonly places: number;
  /**
   * Made anew for each connection: credentials age.
   * @param hasty it is one of several places: where nobody answers, the next one is to be tried soon
   */
  connection(place: number, hasty: boolean): ConnectionOptions;
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
  /** Where it is connected, or is tried next. */
  #place = 0;
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
    const { name, backoff, places, stableMs } = this.#options;
    let attempt = 0;
    /** Places that did not answer one after the other. */
    let misses = 0;
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      // In every second round there is time for a broker that is slow.
      const hasty = places > 1 && Math.floor(misses / places) % 2 === 0;
      const { ended, wasUp } = await this.#connectOnce(hasty);
      if (signal.aborted) return;
      if (wasUp && clock.monotonicMs() - startedMs >= stableMs) {
        attempt = 0;
        misses = 0;
      } else {
        misses += 1;
        this.#place = (this.#place + 1) % places;
        if (misses % places !== 0) continue;
      }
      const waitMs = backoffMs(attempt, backoff, random);
      attempt += 1;
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

  /** One connection from beginning to end. Returns why it ended, and whether it was one. */
  async #connectOnce(hasty: boolean): Promise<{ readonly ended: ShoalError; readonly wasUp: boolean }> {
    const connection = new MqttConnection(this.#deps.clock, this.#options.connection(this.#place, hasty));
    this.#connection = connection;
    try {
      await connection.open();
      await connection.subscribe(this.#options.subscriptions);
      this.#saidMs = undefined;
      this.#options.onUp(connection);
    } catch (error) {
      await connection.close(0);
      return { ended: asShoalError(error), wasUp: false };
    }
    const ended = (await connection.closed) ?? new ShoalError('closed', 'the connection was closed');
    this.#options.onDown();
    return { ended, wasUp: true };
  }
}
