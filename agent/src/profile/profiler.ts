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
import type { MeasureOptions, MeasureVariant } from './measure.ts';
import type { ProfileBook } from './profile-book.ts';

export interface ProfilerOptions {
  /** How a variant is measured when the device does nothing else. */
  readonly alone: MeasureOptions;
  /** How one is measured while cameras run: seldom and briefly, so that they hardly notice. */
  readonly besideCameras: MeasureOptions & { readonly everyMs: number };
  /** How often it is looked whether there is something to measure and nothing else to do, ms. */
  readonly lookEveryMs: number;
  /** Time after the start in which the device is left to its real work, ms. */
  readonly settleMs: number;
}

const defaultProfilerOptions: ProfilerOptions = {
  alone: { runs: 30, budgetMs: 3_000 },
  besideCameras: { runs: 8, budgetMs: 1_000, everyMs: 120_000 },
  lookEveryMs: 5_000,
  settleMs: 500,
};

/** How sure the device is of what it measured beside cameras, of what it would be otherwise: they made it slower by it knows not how much. */
const sureBesideCameras = 0.5;

/** What keeps the device from measuring: nothing; cameras, which never end; tasks, which do. */
type Occupation = 'none' | 'cameras' | 'tasks';

interface Deps {
  readonly book: ProfileBook;
  readonly measure: MeasureVariant;
  readonly shelf: ModelShelf;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly occupation: () => Occupation;
}

/**
 * Measures each model variant that lies on this device, once, when the device is idle; again when software or hardware changed. While cameras run
 * it measures roughly and seldom what was not measured yet, and all of that again when they are gone.
 */
export class Profiler implements Service {
  readonly name = 'profiler';
  readonly #deps: Deps;
  readonly #options: ProfilerOptions;
  readonly #stopped = new AbortController();
  /** Variants that could not be measured: tried again at the next start. */
  readonly #failed = new Set<string>();
  /** Those that could not be measured beside cameras, which leave little memory: tried again when the device is idle. */
  readonly #failedBeside = new Set<string>();
  #measuredAtMs: number;
  #over: Promise<void> = Promise.resolve();

  constructor(deps: Deps, options: Partial<ProfilerOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaultProfilerOptions, ...options };
    this.#measuredAtMs = deps.clock.monotonicMs();
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
    const { clock, machine } = this.#deps;
    await delay(clock, 'profiler: settle', this.#options.settleMs, signal);
    const fingerprint = fingerprintOf(await machine.capability(signal));
    for (;;) {
      const beside = this.#besideCameras();
      const next = beside === undefined ? undefined : await this.#nextVariant(fingerprint, beside);
      if (next) await this.#measure(next, fingerprint, beside === true, signal);
      else await delay(clock, 'profiler: look again', this.#options.lookEveryMs, signal);
    }
  }

  /** Whether to measure beside cameras now, or alone; `undefined`: not now. */
  #besideCameras(): boolean | undefined {
    const occupation = this.#deps.occupation();
    if (occupation === 'none') return false;
    const restedMs = this.#deps.clock.monotonicMs() - this.#measuredAtMs;
    return occupation === 'cameras' && restedMs >= this.#options.besideCameras.everyMs ? true : undefined;
  }

  async #nextVariant(fingerprint: string, beside: boolean): Promise<HeldVariant | undefined> {
    const held = await this.#deps.shelf.held();
    const goodEnough = beside ? [fingerprint, besideCameras(fingerprint)] : [fingerprint];
    return held.find(({ manifest, variant }) => {
      const sha256 = fromHex(variant.sha256) ?? new Uint8Array();
      const isFresh = (as: string) => this.#deps.book.isFresh(manifest.name, variant.name, sha256, as);
      const failed = this.#failed.has(variant.sha256) || (beside && this.#failedBeside.has(variant.sha256));
      return !failed && !goodEnough.some(isFresh);
    });
  }

  async #measure(
    { manifest, variant }: HeldVariant,
    fingerprint: string,
    beside: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { measure, book, clock, logger } = this.#deps;
    const { runs, budgetMs } = beside ? this.#options.besideCameras : this.#options.alone;
    const model = `${manifest.name}/${variant.name}`;
    try {
      const { spread, ...measured } = await measure({ manifest, variant }, { runs, budgetMs }, signal);
      const profile: VariantProfile = {
        ...measured,
        // What the machine spent meanwhile was not spent on this alone.
        energyMj: beside ? null : measured.energyMj,
        model: manifest.name,
        variant: variant.name,
        sha256: fromHex(variant.sha256) ?? new Uint8Array(),
        confidence: confidenceOf(measured.samples, spread) * (beside ? sureBesideCameras : 1),
        measuredAtMs: clock.nowMs(),
      };
      const { p50Ms, p95Ms, samples } = profile;
      logger.info('model measured', {
        model,
        p50Ms: tenths(p50Ms),
        p95Ms: tenths(p95Ms),
        samples,
        besideCameras: beside,
      });
      await book.keep(profile, beside ? besideCameras(fingerprint) : fingerprint);
    } catch (error) {
      signal.throwIfAborted();
      (beside ? this.#failedBeside : this.#failed).add(variant.sha256);
      logger.warn('a model cannot be measured here', { model, why: asShoalError(error).message });
    } finally {
      this.#measuredAtMs = clock.monotonicMs();
    }
  }
}

/** Marks what was measured beside cameras, so that it is measured again when the device is idle. */
function besideCameras(fingerprint: string): string {
  return `${fingerprint} beside cameras`;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
