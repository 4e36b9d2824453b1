import { asShoalError, ShoalError } from '../errors/index.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/**
 * Something with a life: `start` does the work that a constructor must not, `drain` stops intake and lets what runs finish,
 * `stop` aborts what is left. All three may be called more than once; `stop` may be called in any state.
 */
export interface Service {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
  drain?(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/**
 * - `idle`: made, not started.
 * - `starting`: members start one after the other, in order.
 * - `running`: every member is started.
 * - `draining`: intake is closed, work in hand is being finished.
 * - `stopping`: members stop, last started first.
 * - `stopped`: nothing is left; a group is not started again.
 * - `failed`: a member did not start; those before it were stopped again.
 */
export type LifecycleState = 'idle' | 'starting' | 'running' | 'draining' | 'stopping' | 'stopped' | 'failed';

export interface ServiceGroupOptions {
  readonly name: string;
  /** How long `drain` waits for one member before it goes on without it. */
  readonly drainTimeoutMs?: number;
  /** How long `stop` waits for one member before it is named as late and left behind. */
  readonly stopTimeoutMs?: number;
}

/** Starts members in order, stops them in reverse order, and names whoever was late. Is a {@link Service} itself. */
export class ServiceGroup implements Service {
  readonly name: string;
  readonly #deps: { readonly clock: Clock; readonly logger: Logger };
  readonly #members: readonly Service[];
  readonly #drainTimeoutMs: number;
  readonly #stopTimeoutMs: number;
  #state: LifecycleState = 'idle';
  #started: Service[] = [];
  #abortStart = new AbortController();
  #startOver: Promise<void> = Promise.resolve();
  #drainOver: Promise<void> | undefined;
  #stopOver: Promise<void> | undefined;

  constructor(
    deps: { readonly clock: Clock; readonly logger: Logger },
    members: readonly Service[],
    options: ServiceGroupOptions,
  ) {
    this.name = options.name;
    this.#deps = deps;
    this.#members = members;
    this.#drainTimeoutMs = options.drainTimeoutMs ?? 10_000;
    this.#stopTimeoutMs = options.stopTimeoutMs ?? 5_000;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** @throws the failing member's error, after the members before it were stopped; `closed` when not `idle`. */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#state !== 'idle') throw new ShoalError('closed', `${this.name} cannot start: it is ${this.#state}`);
    this.#state = 'starting';
    const started = this.#startMembers(AbortSignal.any([signal, this.#abortStart.signal]));
    this.#startOver = started.catch(() => {});
    return started;
  }

  async #startMembers(signal: AbortSignal): Promise<void> {
    for (const member of this.#members) {
      this.#started.push(member);
      try {
        signal.throwIfAborted();
        await member.start(signal);
        signal.throwIfAborted();
      } catch (error) {
        // Left behind by stop() while it started, and ready only now.
        if (!this.#started.includes(member)) this.#started.push(member);
        this.#logFailedStart(member, error);
        await this.#stopStarted();
        if (this.#state === 'starting') this.#state = 'failed';
        throw error;
      }
    }
    this.#state = 'running';
  }

  #logFailedStart(member: Service, error: unknown): void {
    const level = this.#state === 'starting' ? 'error' : 'info';
    this.#deps.logger[level]('service did not start', { service: member.name, error: asShoalError(error).message });
  }

  /** Members stop taking in work, last started first. Returns when all have finished theirs, or their time is up. */
  drain(signal: AbortSignal): Promise<void> {
    if (this.#state === 'running') this.#drainOver = this.#drain(signal);
    return this.#drainOver ?? Promise.resolve();
  }

  async #drain(signal: AbortSignal): Promise<void> {
    this.#state = 'draining';
    for (const member of this.#started.toReversed()) {
      if (this.#state !== 'draining') return;
      await this.#bounded(member.name, 'drain', this.#drainTimeoutMs, async () => member.drain?.(signal));
    }
  }

  stop(): Promise<void> {
    this.#stopOver ??= this.#stop();
    return this.#stopOver;
  }

  async #stop(): Promise<void> {
    this.#abortStart.abort(new ShoalError('aborted', `${this.name} was stopped while it started`));
    if (this.#state !== 'failed') this.#state = 'stopping';
    const starting = this.#started.at(-1)?.name ?? this.name;
    await this.#bounded(starting, 'stop', this.#stopTimeoutMs, () => this.#startOver);
    await this.#stopStarted();
    this.#state = 'stopped';
  }

  async #stopStarted(): Promise<void> {
    for (let member = this.#started.pop(); member; member = this.#started.pop()) {
      const service = member;
      await this.#bounded(service.name, 'stop', this.#stopTimeoutMs, async () => service.stop());
    }
  }

  /** Waits for one phase at most `timeoutMs`; a failure or a timeout is logged with its name and does not stop the rest. */
  async #bounded(
    service: string,
    phase: 'drain' | 'stop',
    timeoutMs: number,
    action: () => Promise<void>,
  ): Promise<void> {
    const { clock, logger } = this.#deps;
    let cancel = () => {};
    const late = new Promise<'late'>((resolve) => {
      cancel = clock.after(`${this.name}/${phase}/${service}`, timeoutMs, () => resolve('late'));
    });
    try {
      if ((await Promise.race([action(), late])) === 'late') {
        logger.warn(`service was late to ${phase}`, { group: this.name, service, timeoutMs });
      }
    } catch (error) {
      logger.warn(`service failed to ${phase}`, { group: this.name, service, error: asShoalError(error).message });
    } finally {
      cancel();
    }
  }
}
