import { asShoalError, type Logger, ShoalError } from '@shoal/protocol';
import { type InferenceParameters, type ModelFrame, unpackOutput } from '../../stages/index.ts';
import { checkFrame, checkParameters } from '../checks.ts';
import type { Engine, EngineCapabilities, Inference, LoadableModel, LoadedModel } from '../engine.ts';
import { besideMe } from './entry.ts';
import { InferenceThread } from './inference-thread.ts';
import { type ProbeReport, probeRuntime } from './probe.ts';
import { ThreadPool } from './thread-pool.ts';

export interface OnnxEngineOptions {
  /** Worker threads, each with every loaded model: inferences that run at the same time. */
  readonly workers: number;
  /** Threads within one inference. Two workers of one thread each beat one of two, with better tails. */
  readonly threadsPerWorker: number;
  /** Most runs that wait while every worker is busy. */
  readonly queueLimit: number;
  /** Folder in which models are kept as the runtime has optimised them, so that they load faster the next time. Left out: they are not. */
  readonly preparedDirectory?: string;
  /** The script that prepares a model, for tests. */
  readonly prepare?: URL;
  /** The script that probes the runtime, for tests. */
  readonly probe?: URL;
}

const defaultOnnxEngineOptions: OnnxEngineOptions = { workers: 1, threadsPerWorker: 1, queueLimit: 16 };

/**
 * The `onnx` engine: ONNX Runtime in worker threads. Making it costs nothing: the runtime is loaded by the first probe (in a
 * child process) and the first model (in a thread), never on the main thread.
 */
export function createOnnxEngine(deps: { readonly logger: Logger }, options: Partial<OnnxEngineOptions> = {}): Engine {
  keepToItself();
  return new OnnxEngine(deps, { ...defaultOnnxEngineOptions, ...options });
}

/**
 * ONNX Runtime, from 1.29 on, sends its maker what is run with it, under an id of the machine, unless it is told not to before it is loaded.
 * It reads the environment of the process, which only the main thread can set and which children take over.
 */
function keepToItself(): void {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
}

class OnnxEngine implements Engine {
  readonly name = 'onnx';
  readonly #options: OnnxEngineOptions;
  readonly #pool: ThreadPool;
  readonly #abortProbe = new AbortController();
  #probed: Promise<ProbeReport> | undefined;
  #disposed = false;
  readonly #hold = () => this.#pool.hold();

  constructor(deps: { readonly logger: Logger }, options: OnnxEngineOptions) {
    this.#options = options;
    const { threadsPerWorker, preparedDirectory, prepare } = options;
    const workerOptions = {
      threadsPerWorker,
      ...(preparedDirectory && { preparedDirectory }),
      ...(prepare && { prepareEntry: prepare.href }),
    };
    let spawned = 0;
    const spawn = (onDeath: (reason: ShoalError) => void) =>
      new InferenceThread(
        besideMe('worker', import.meta.url),
        { ...workerOptions, name: `shoal-inference-${spawned++}` },
        onDeath,
      );
    this.#pool = new ThreadPool({ logger: deps.logger, spawn }, options);
  }

  async capabilities(signal: AbortSignal): Promise<EngineCapabilities> {
    const { version, providers } = await abortable(this.#probe(), signal);
    return { runtime: 'onnxruntime-node', version, providers, formats: ['onnx'], concurrency: this.#options.workers };
  }

  async load(model: LoadableModel, signal: AbortSignal): Promise<LoadedModel> {
    this.#checkOpen();
    await abortable(this.#probe(), signal);
    this.#checkOpen();
    process.off('exit', this.#hold).on('exit', this.#hold);
    const loading = this.#pool.load(model);
    try {
      const { key, loadMs } = await abortable(loading, signal);
      return new OnnxModel(this.#pool, key, model, loadMs);
    } catch (error) {
      // A load cannot be stopped half-way. When nobody waits for it any more, it is undone as soon as it is over.
      if (signal.aborted) void loading.then(({ key }) => this.#pool.release(key)).catch(() => {});
      throw error;
    }
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#abortProbe.abort(new ShoalError('closed', 'the engine was stopped'));
    await this.#pool.dispose();
    process.off('exit', this.#hold);
  }

  /** One probe for all who ask; its answer is kept. */
  #probe(): Promise<ProbeReport> {
    this.#probed ??= probeRuntime(this.#options.probe, this.#abortProbe.signal);
    return this.#probed;
  }

  #checkOpen(): void {
    if (this.#disposed) throw new ShoalError('closed', 'the engine was stopped');
  }
}

class OnnxModel implements LoadedModel {
  readonly manifest: LoadableModel['manifest'];
  readonly variant: LoadableModel['variant'];
  readonly loadMs: number;
  readonly #pool: ThreadPool;
  readonly #key: number;
  #released: Promise<void> | undefined;

  constructor(pool: ThreadPool, key: number, model: LoadableModel, loadMs: number) {
    this.#pool = pool;
    this.#key = key;
    this.manifest = model.manifest;
    this.variant = model.variant;
    this.loadMs = loadMs;
  }

  async infer(frame: ModelFrame, parameters: InferenceParameters, signal: AbortSignal): Promise<Inference> {
    checkFrame(this.manifest, frame);
    checkParameters(parameters);
    const { packed, inferenceMs, decodeMs } = await this.#pool.run(this.#key, frame, parameters, signal);
    return { output: unpackOutput(this.manifest, packed, frame.placement), inferenceMs, decodeMs };
  }

  release(): Promise<void> {
    this.#released ??= this.#pool.release(this.#key);
    return this.#released;
  }
}

/** Waits for `work`, but not longer than the signal allows. The work itself goes on. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(asShoalError(signal.reason, 'aborted'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
