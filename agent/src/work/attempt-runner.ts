import {
  type Attester,
  type Clock,
  encodeResult,
  resultMediaType,
  ShoalError,
  sha256Hex,
  toHex,
} from '@shoal/protocol';
import type { LoadedModels, ModelLease } from '../loaded-models/index.ts';
import type { RunPicture } from '../pipelines/index.ts';
import { type Attempt, endedBy, type Timings } from './attempt.ts';
import { type AskForBlob, checked, readInput } from './input-reader.ts';
import { parseParameters } from './parameters.ts';

export interface RunnerOptions {
  /** Largest input that is taken, bytes. */
  readonly mostInputBytes: number;
  /** What runs here, as statements name it. */
  readonly software: string;
}

export interface RunnerDeps {
  readonly attester: Attester;
  readonly clock: Clock;
  readonly models: LoadedModels;
  readonly runPicture: RunPicture;
  readonly askForBlob: AskForBlob;
  /** Told of every run, so that profiles follow what really happens. */
  readonly onInference: (lease: ModelLease, inferenceMs: number) => void;
}

/** What became of an attempt that succeeded. */
export interface Finished {
  readonly result: Uint8Array;
  readonly attestation: Uint8Array;
}

const nothing = new Uint8Array();
const emptyDigest = sha256Hex(nothing);

/** Does the work of one attempt, from its input to its signed result. */
export class AttemptRunner {
  readonly #deps: RunnerDeps;
  readonly #options: RunnerOptions;

  constructor(deps: RunnerDeps, options: RunnerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Brings the input, takes the model, runs the pipeline and signs what comes of it. Timings are filled in as far as it gets.
   * @returns `undefined` when the attempt was ended from outside meanwhile. @throws why it failed
   */
  async run(attempt: Attempt, timings: Timings): Promise<Finished | undefined> {
    const { assignment, pipeline, abort } = attempt;
    const { signal } = abort;
    const parameters = parseParameters(assignment.parametersJson);
    const bytes = assignment.inputDigest.length === 0 ? nothing : await this.#input(attempt, timings);
    const lease =
      pipeline.task === undefined
        ? undefined
        : await this.#deps.models.acquire(assignment.model, assignment.variant, signal);
    timings.loadMs = lease?.waitedMs ?? 0;
    try {
      const startedAtMs = this.#deps.clock.nowMs();
      const running = pipeline.run(
        { bytes, model: lease?.model, parameters: parameters.inference, runPicture: this.#deps.runPicture },
        signal,
      );
      const output = running instanceof Promise ? await this.#whileChecking(attempt, running) : running;
      if (endedBy(attempt)) return undefined;
      timings.decodeMs = output.decodeMs;
      timings.inferenceMs = output.inferenceMs;
      if (lease) this.#deps.onInference(lease, output.inferenceMs);
      const result = encodeResult(output.result);
      const attestation = await this.#attest(attempt, {
        bytes,
        result,
        startedAtMs,
        parameters: parameters.given,
        lease,
      });
      return endedBy(attempt) ? undefined : { result, attestation };
    } finally {
      lease?.release();
    }
  }

  /**
   * What runs, once its input is seen to be the one that was meant. An attached input is hashed while another thread decodes it: the coordinator has
   * signed for its bytes already, so they may be looked at before.
   */
  async #whileChecking<Output>(attempt: Attempt, running: Promise<Output>): Promise<Output> {
    const { attached, assignment } = attempt;
    if (!attached) return running;
    const checking = new Promise<void>((resolve) => this.#deps.clock.soon('work: check the input', resolve)).then(() =>
      checked(attached, assignment.inputDigest),
    );
    const [check] = await Promise.allSettled([checking, running]);
    if (check.status === 'rejected') throw check.reason;
    return running;
  }

  async #input({ assignment, pipeline, attached, abort }: Attempt, timings: Timings): Promise<Uint8Array> {
    const { inputDigest: digest, inputSizeBytes: sizeBytes } = assignment;
    const { mostInputBytes } = this.#options;
    if (sizeBytes > mostInputBytes) {
      throw new ShoalError('input.too-large', `the input has ${sizeBytes} bytes; this device takes ${mostInputBytes}`, {
        sizeBytes,
      });
    }
    if (attached) return pipeline.task === undefined ? checked(attached, digest) : attached;
    const { clock, askForBlob } = this.#deps;
    const startedMs = clock.monotonicMs();
    const bytes = await readInput(askForBlob, { digest, sizeBytes }, abort.signal);
    timings.transferMs = clock.monotonicMs() - startedMs;
    return bytes;
  }

  #attest(
    { assignment }: Attempt,
    made: {
      readonly bytes: Uint8Array;
      readonly result: Uint8Array;
      readonly startedAtMs: number;
      readonly parameters: ReturnType<typeof parseParameters>['given'];
      readonly lease: ModelLease | undefined;
    },
  ): Promise<Uint8Array> {
    const { manifest, variant } = made.lease?.model ?? {};
    return this.#deps.attester.attest({
      software: this.#options.software,
      pipeline: assignment.pipeline,
      parameters: made.parameters,
      model:
        manifest && variant
          ? { name: manifest.name, version: manifest.version, variant: variant.name, sha256: variant.sha256 }
          : null,
      work: { task: assignment.taskId, attempt: assignment.attemptId },
      startedAtMs: made.startedAtMs,
      finishedAtMs: this.#deps.clock.nowMs(),
      input: {
        name: 'input',
        sha256: assignment.inputDigest.length === 0 ? emptyDigest : toHex(assignment.inputDigest),
      },
      output: made.result,
      outputMediaType: resultMediaType,
    });
  }
}
