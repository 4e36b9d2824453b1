import {
  asShoalError,
  type Clock,
  delay,
  fromHex,
  type Logger,
  type Service,
  ShoalError,
  type VariantProfile,
} from '@shoal/protocol';
import type { HeldVariant, ModelShelf } from '../loaded-models/index.ts';
import type { Machine } from '../machine/index.ts';
import { confidenceOf } from './confidence.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { MeasureVariant } from './measure.ts';
import type { ProfileBook } from './profile-book.ts';

export interface ProfilerOptions {
  /** Time for the runs of one variant, ms. */
  readonly budgetMs: number;
  readonly runs: number;
  /** How often it is looked whether there is something to measure and nothing else to do, ms. */
  readonly lookEveryMs: number;
  /** Time after the start in which the device is left to its real work, ms. */
  readonly settleMs: number;
}

const defaultProfilerOptions: ProfilerOptions = { budgetMs: 3_000, runs: 30, lookEveryMs: 5_000, settleMs: 500 };

interface Deps {
  readonly book: ProfileBook;
  readonly measure: MeasureVariant;
  readonly shelf: ModelShelf;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the device has nothing better to do. */
  readonly isIdle: () => boolean;
}

/** Measures each model variant that lies on this device, once, when the device is idle; again when software or hardware changed. */
export class Profiler implements Service {
  readonly name = 'profiler';
  readonly #deps: Deps;
  readonly #options: ProfilerOptions;
  readonly #stopped = new AbortController();
  /** Variants that could not be measured: tried again at the next start. */
  readonly #failed = new Set<string>();
  #over: Promise<void> = Promise.resolve();

  constructor(deps: Deps, options: Partial<ProfilerOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaultProfilerOptions, ...options };
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#over = this.#run(this.#stopped.signal).catch((error: unknown) => {
      if (!this.#stopped.signal.aborted)
        this.#deps.logger.error('profiling ended', { error: asShoalError(error).message });
    });
  }

  async drain(): Promise<void> {
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new ShoalError('closed', 'the agent is stopping'));
    await this.#over;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, machine, isIdle } = this.#deps;
    await delay(clock, 'profiler: settle', this.#options.settleMs, signal);
    const fingerprint = fingerprintOf(await machine.capability(signal));
    for (;;) {
      const next = isIdle() ? await this.#nextVariant(fingerprint) : undefined;
      if (next) await this.#measure(next, fingerprint, signal);
      else await delay(clock, 'profiler: look again', this.#options.lookEveryMs, signal);
    }
  }

  async #nextVariant(fingerprint: string): Promise<HeldVariant | undefined> {
    const held = await this.#deps.shelf.held();
    return held.find(
      ({ manifest, variant }) =>
        !this.#failed.has(variant.sha256) &&
        !this.#deps.book.isFresh(manifest.name, variant.name, fromHex(variant.sha256) ?? new Uint8Array(), fingerprint),
    );
  }

  async #measure({ manifest, variant }: HeldVariant, fingerprint: string, signal: AbortSignal): Promise<void> {
    const { measure, book, clock, logger } = this.#deps;
    const { budgetMs, runs } = this.#options;
    const model = `${manifest.name}/${variant.name}`;
    try {
      const { spread, ...measured } = await measure({ manifest, variant }, { budgetMs, runs }, signal);
      const profile: VariantProfile = {
        ...measured,
        model: manifest.name,
        variant: variant.name,
        sha256: fromHex(variant.sha256) ?? new Uint8Array(),
        confidence: confidenceOf(measured.samples, spread),
        measuredAtMs: clock.nowMs(),
      };
      const { p50Ms, p95Ms, samples } = profile;
      logger.info('model measured', { model, p50Ms: tenths(p50Ms), p95Ms: tenths(p95Ms), samples });
      await book.keep(profile, fingerprint);
    } catch (error) {
      signal.throwIfAborted();
      this.#failed.add(variant.sha256);
      logger.warn('a model cannot be measured here', { model, why: asShoalError(error).message });
    }
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
