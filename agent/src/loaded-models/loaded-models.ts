import { assumedMemoryBytes, type Engine, type LoadableModel, type LoadedModel } from '@shoal/models';
import { type Clock, type Logger, type Service, ShoalError } from '@shoal/protocol';
import type { ModelShelf } from './model-shelf.ts';

export interface LoadedModelsOptions {
  /** Memory that loaded models may take together, as far as it is known before they are loaded. */
  readonly mostBytes: number;
  /** A model that nobody used for this long is unloaded. */
  readonly idleMs: number;
  /** Who needs room waits for so long for others to let go, ms. */
  readonly roomWaitMs: number;
}

const defaultLoadedModelsOptions: LoadedModelsOptions = {
  mostBytes: 512 * 1024 * 1024,
  idleMs: 300_000,
  roomWaitMs: 30_000,
};

/** The use of a loaded model, until {@link release}. */
export interface ModelLease {
  readonly model: LoadedModel;
  readonly engine: string;
  /** The time that the caller waited for the file and the load, ms. */
  readonly waitedMs: number;
  release(): void;
}

interface Deps {
  readonly engines: readonly Engine[];
  readonly shelf: ModelShelf;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What a variant was measured to take; `undefined` when it was not yet. */
  readonly measuredBytes: (sha256: string) => number | undefined;
  /** Memory of the machine that is free now, bytes; `undefined`: not known. */
  readonly freeBytes: (signal: AbortSignal) => Promise<number | undefined>;
}

interface Slot {
  readonly key: string;
  readonly loading: Promise<{ readonly model: LoadedModel; readonly engine: string }>;
  users: number;
  sizeBytes: number;
  ready: boolean;
  cancelIdle: () => void;
}

/**
 * Models in memory, loaded when somebody needs them and shared by all who do. The least recently used go when room is needed; one that is in use
 * never does.
 */
export class LoadedModels implements Service {
  readonly name = 'loaded models';
  readonly #deps: Deps;
  readonly #options: LoadedModelsOptions;
  /** The least recently used first. */
  readonly #slots = new Map<string, Slot>();
  readonly #stopped = new AbortController();
  #roomMade: (() => void)[] = [];

  constructor(deps: Deps, options: Partial<LoadedModelsOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaultLoadedModelsOptions, ...options };
  }

  /** `model/variant` of what is in memory, the least recently used first. */
  get loaded(): readonly string[] {
    return [...this.#slots.values()].filter(({ ready }) => ready).map(({ key }) => key);
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  /** Takes a model into memory before anybody asks for it, where it is held on this device and there is room. Never throws. */
  warm(model: string, variant: string): void {
    if (this.#slots.has(`${model}/${variant}`) || this.#stopped.signal.aborted) return;
    this.acquire(model, variant, this.#stopped.signal).then(
      (lease) => lease.release(),
      (error) => this.#deps.logger.debug('a model was not loaded ahead', { model, variant, why: String(error) }),
    );
  }

  /** @throws `model.memory`; what `ModelShelf.resolve` and `Engine.load` throw; the signal's reason */
  async acquire(model: string, variant: string, signal: AbortSignal): Promise<ModelLease> {
    const startedMs = this.#deps.clock.monotonicMs();
    signal.throwIfAborted();
    const key = `${model}/${variant}`;
    const slot = this.#slots.get(key) ?? this.#load(key, model, variant);
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    slot.users += 1;
    slot.cancelIdle();
    try {
      const { model: loaded, engine } = await withSignal(slot.loading, signal);
      const waitedMs = this.#deps.clock.monotonicMs() - startedMs;
      let released = false;
      const release = () => {
        if (!released) this.#release(slot);
        released = true;
      };
      return { model: loaded, engine, waitedMs, release };
    } catch (error) {
      this.#release(slot);
      throw error;
    }
  }

  /** Unloads a model at once unless somebody uses it: for who knows that it is not needed soon. */
  async unloadUnused(model: string, variant: string): Promise<void> {
    const slot = this.#slots.get(`${model}/${variant}`);
    if (slot?.users === 0) await this.#unload(slot);
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new ShoalError('closed', 'the agent is stopping'));
    await Promise.all([...this.#slots.values()].map((slot) => this.#unload(slot)));
  }

  #load(key: string, model: string, variant: string): Slot {
    const slot: Slot = {
      key,
      loading: Promise.resolve().then(() => this.#fetchAndLoad(slot, model, variant)),
      users: 0,
      sizeBytes: 0,
      ready: false,
      cancelIdle: () => {},
    };
    slot.loading.then(
      () => {
        slot.ready = true;
      },
      // The next who needs it tries again.
      () => this.#slots.delete(key),
    );
    return slot;
  }

  async #fetchAndLoad(slot: Slot, name: string, variant: string): Promise<{ model: LoadedModel; engine: string }> {
    const { shelf, logger } = this.#deps;
    const { signal } = this.#stopped;
    const loadable = await shelf.resolve(name, variant, signal);
    slot.sizeBytes = this.#deps.measuredBytes(loadable.variant.sha256) ?? assumedMemoryBytes(loadable.variant);
    await this.#makeRoom(slot, signal);
    const engine = await this.#engineFor(loadable, signal);
    const model = await engine.load(loadable, signal);
    logger.info('model loaded', { model: slot.key, engine: engine.name, loadMs: Math.round(model.loadMs) });
    return { model, engine: engine.name };
  }

  async #engineFor({ manifest, variant }: LoadableModel, signal: AbortSignal): Promise<Engine> {
    let last: unknown;
    for (const engine of this.#deps.engines) {
      try {
        const { formats } = await engine.capabilities(signal);
        if (formats.includes(variant.format)) return engine;
      } catch (error) {
        signal.throwIfAborted();
        last = error;
      }
    }
    throw last ?? new ShoalError('engine.unavailable', `no engine here runs ${manifest.name} as ${variant.format}`);
  }

  /**
   * Unloads what nobody uses, the least recently used first; waits for users to let go when that is not enough. A system without memory would end the
   * whole agent, so what does not fit is not begun: the coordinator reckons the same, and has it done elsewhere.
   */
  async #makeRoom(slot: Slot, signal: AbortSignal): Promise<void> {
    const giveUpMs = this.#deps.clock.monotonicMs() + this.#options.roomWaitMs;
    for (;;) {
      const shortBytes = await this.#shortOf(slot, signal);
      if (shortBytes <= 0) return;
      const others = [...this.#slots.values()].filter((other) => other !== slot);
      const idle = others.find(({ users, ready }) => users === 0 && ready);
      if (idle) {
        this.#deps.logger.info('model unloaded to make room', { model: idle.key });
        await this.#unload(idle);
        continue;
      }
      const leftMs = others.length === 0 ? 0 : giveUpMs - this.#deps.clock.monotonicMs();
      if (leftMs <= 0) throw noRoom(slot, shortBytes);
      await this.#someRoom(leftMs, signal);
    }
  }

  /** What has to be free before the model is loaded, and is not; bytes. */
  async #shortOf(slot: Slot, signal: AbortSignal): Promise<number> {
    let used = 0;
    for (const other of this.#slots.values()) if (other !== slot) used += other.sizeBytes;
    // A model alone may be larger than the limit: better to try than never to run it.
    const overLimit = used === 0 ? 0 : used + slot.sizeBytes - this.#options.mostBytes;
    const freeBytes = (await this.#deps.freeBytes(signal)) ?? Number.POSITIVE_INFINITY;
    return Math.max(overLimit, slot.sizeBytes - freeBytes);
  }

  /** Resolves when somebody let go of a model, or after this time. */
  async #someRoom(withinMs: number, signal: AbortSignal): Promise<void> {
    let cancel = () => {};
    const made = new Promise<void>((resolve) => {
      this.#roomMade.push(resolve);
      cancel = this.#deps.clock.after('loaded models: wait for room', withinMs, resolve);
    });
    await withSignal(made, signal).finally(cancel);
  }

  #release(slot: Slot): void {
    slot.users -= 1;
    if (slot.users > 0 || this.#stopped.signal.aborted) return;
    for (const wake of this.#roomMade.splice(0)) wake();
    if (this.#slots.get(slot.key) !== slot) return;
    slot.cancelIdle();
    slot.cancelIdle = this.#deps.clock.after(`loaded models: ${slot.key} is idle`, this.#options.idleMs, () => {
      if (slot.users === 0) void this.#unload(slot);
    });
  }

  async #unload(slot: Slot): Promise<void> {
    slot.cancelIdle();
    if (this.#slots.get(slot.key) === slot) this.#slots.delete(slot.key);
    const loaded = await slot.loading.catch(() => undefined);
    await loaded?.model.release();
    for (const wake of this.#roomMade.splice(0)) wake();
  }
}

function noRoom({ key, sizeBytes }: Slot, shortBytes: number): ShoalError {
  const [needs, short] = [sizeBytes, shortBytes].map((bytes) => Math.ceil(bytes / 1e6));
  return new ShoalError('model.memory', `${key} needs ${needs} MB of memory, ${short} MB more than can be had`, {
    sizeBytes,
    shortBytes,
  });
}

function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
