import type { Engine } from '@shoal/models';
import { asShoalError, type Logger } from '@shoal/protocol';
import type { MembershipStore, ProbedSoftware } from '../store/index.ts';

interface Deps {
  readonly engines: readonly Engine[];
  /** Video codecs that can be decoded here. */
  readonly decoders: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly store: MembershipStore;
  readonly logger: Logger;
}

/** Which runtimes and decoders really work here. They are tried in child processes, which takes a while; what was found last is known at once. */
export class SoftwareProbe {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get known(): ProbedSoftware | undefined {
    return this.#deps.store.probed();
  }

  /** Tries everything, and says whether something is other than it was known. */
  async run(fingerprint: string, signal: AbortSignal): Promise<boolean> {
    const engines = await Promise.all(this.#deps.engines.map((engine) => this.#tryEngine(engine, signal)));
    const working = engines.filter((found) => found !== undefined);
    const probed: ProbedSoftware = {
      fingerprint,
      runtimes: working.map(({ runtime, version, providers }) => `${runtime}/${version} ${providers.join(' ')}`),
      decoders: await this.#deps.decoders(signal).catch(() => []),
      taskSlots: Math.max(1, ...working.map(({ concurrency }) => concurrency)),
    };
    const before = this.known;
    if (before && JSON.stringify(before) === JSON.stringify(probed)) return false;
    await this.#deps.store.recordProbed(probed);
    return true;
  }

  async #tryEngine(engine: Engine, signal: AbortSignal) {
    try {
      return await engine.capabilities(signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.logger.warn('an engine does not work here', { engine: engine.name, why: asShoalError(error).message });
      return undefined;
    }
  }
}
