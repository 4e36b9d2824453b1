import { asShoalError, type Clock, delay, ShoalError } from '@shoal/protocol';
import type { InferenceParameters, ModelFrame, ModelOutput } from '../../stages/index.ts';
import { checkFrame, checkParameters } from '../checks.ts';
import type { Engine, EngineCapabilities, Inference, LoadableModel, LoadedModel } from '../engine.ts';
import { WaitingLine } from '../waiting-line.ts';
import { simulatedOutput } from './simulated-output.ts';

export interface SimulatedEngineOptions {
  /** Runs at the same time. */
  readonly concurrency: number;
  /** What it runs on; left out: `cpu`. */
  readonly provider?: string;
  /** Most runs that wait while all of them are busy. */
  readonly queueLimit: number;
  loadMs(model: LoadableModel): number;
  inferenceMs(model: LoadableModel): number;
  /** What a run finds. Left out: something that depends on the model and the frame's pixels alone. */
  readonly output?: (model: LoadableModel, frame: ModelFrame, parameters: InferenceParameters) => ModelOutput;
}

/**
 * An engine that behaves as the real one does and computes nothing: it takes the time it is told to take, on the clock it is
 * given. It passes the same conformance suite, and stands for the real engine in the simulator.
 */
export function createSimulatedEngine(deps: { readonly clock: Clock }, options: SimulatedEngineOptions): Engine {
  return new SimulatedEngine(deps.clock, options);
}

interface Turn {
  readonly owner: SimulatedModel;
  begin(): void;
}

class SimulatedEngine implements Engine {
  readonly name = 'simulated';
  readonly #clock: Clock;
  readonly #options: SimulatedEngineOptions;
  readonly #waiting: WaitingLine<Turn>;
  readonly #stop = new AbortController();
  #running = 0;

  constructor(clock: Clock, options: SimulatedEngineOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#waiting = new WaitingLine(options.queueLimit);
  }

  async capabilities(signal: AbortSignal): Promise<EngineCapabilities> {
    throwIfAborted(signal);
    const { concurrency, provider = 'cpu' } = this.#options;
    return { runtime: 'simulated', version: '1', providers: [provider], formats: ['onnx'], concurrency };
  }

  async load(model: LoadableModel, signal: AbortSignal): Promise<LoadedModel> {
    throwIfAborted(this.#stop.signal);
    const loadMs = this.#options.loadMs(model);
    await this.#pause(`load/${model.manifest.name}`, loadMs, AbortSignal.any([signal, this.#stop.signal]));
    return new SimulatedModel(this, model, loadMs, this.#options);
  }

  async dispose(): Promise<void> {
    const closed = new ShoalError('closed', 'the engine was stopped');
    this.#stop.abort(closed);
    this.#waiting.failAll(closed);
  }

  async run(owner: SimulatedModel, durationMs: number, signal: AbortSignal): Promise<void> {
    throwIfAborted(this.#stop.signal);
    throwIfAborted(signal);
    await this.#turn(owner, signal);
    try {
      // A run that has begun is not stopped by its signal, as the real one cannot be.
      await this.#pause(`inference/${owner.manifest.name}`, durationMs, this.#stop.signal);
    } finally {
      this.#running -= 1;
      this.#beginNext();
    }
  }

  /** Whoever of this model's runs waits fails with `closed`. */
  refuseWaiting(owner: SimulatedModel): void {
    this.#waiting.failAll(new ShoalError('closed', 'the model was released'), (turn) => turn.owner === owner);
  }

  #turn(owner: SimulatedModel, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        this.#running += 1;
        resolve();
      };
      if (this.#running < this.#options.concurrency) begin();
      else this.#waiting.join({ owner, begin }, signal, reject);
    });
  }

  #beginNext(): void {
    this.#waiting.take()?.begin();
  }

  #pause(name: string, delayMs: number, signal: AbortSignal): Promise<void> {
    return delay(this.#clock, name, delayMs, signal).catch((reason: unknown) => {
      throw asShoalError(reason, 'aborted');
    });
  }
}

class SimulatedModel implements LoadedModel {
  readonly manifest: LoadableModel['manifest'];
  readonly variant: LoadableModel['variant'];
  readonly loadMs: number;
  readonly #engine: SimulatedEngine;
  readonly #model: LoadableModel;
  readonly #options: SimulatedEngineOptions;
  readonly #runs = new Set<Promise<void>>();
  #released = false;

  constructor(engine: SimulatedEngine, model: LoadableModel, loadMs: number, options: SimulatedEngineOptions) {
    this.#engine = engine;
    this.#model = model;
    this.#options = options;
    this.manifest = model.manifest;
    this.variant = model.variant;
    this.loadMs = loadMs;
  }

  async infer(frame: ModelFrame, parameters: InferenceParameters, signal: AbortSignal): Promise<Inference> {
    checkFrame(this.manifest, frame);
    checkParameters(parameters);
    if (this.#released) throw new ShoalError('closed', 'the model was released');
    const inferenceMs = this.#options.inferenceMs(this.#model);
    const run = this.#engine.run(this, inferenceMs, signal);
    this.#runs.add(run);
    try {
      await run;
    } finally {
      this.#runs.delete(run);
    }
    const output = this.#options.output ?? simulatedOutput;
    return { output: output(this.#model, frame, parameters), inferenceMs, decodeMs: 0 };
  }

  async release(): Promise<void> {
    this.#released = true;
    this.#engine.refuseWaiting(this);
    await Promise.allSettled(this.#runs);
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw asShoalError(signal.reason, 'aborted');
}
