import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import type { ErrorCode } from '@shoal/protocol';
import ort, { type InferenceSession } from 'onnxruntime-node';
import type { ImageInput } from '../../manifest/index.ts';
import { freeMemory } from '../../memory/index.ts';
import {
  createHead,
  createInputTensor,
  createInputWriter,
  type FramePlacement,
  type Head,
  type InferenceParameters,
  type InputTensor,
  isPlain,
  type OutputTensor,
} from '../../stages/index.ts';
import type { LoadableModel } from '../engine.ts';
import type { RunReply, WorkerOptions } from './messages.ts';
import { makerOf, PreparedModel } from './prepared-model.ts';

/** Crosses the thread as its code and message; the engine makes the ShoalError. */
export class SessionError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** One model in one worker thread: its ONNX Runtime session, the tensor its input is written into, and its head. */
export class OnnxSession {
  readonly #session: InferenceSession;
  readonly #head: Head;
  readonly #write: (pixels: Uint8Array) => void;
  readonly #feeds: InferenceSession.FeedsType;

  static async open(model: LoadableModel, options: WorkerOptions): Promise<OnnxSession> {
    const bytes = await readVerified(model);
    const session = await createSession(bytes, model, options).catch((error: unknown) => {
      throw new SessionError('engine.unavailable', `ONNX Runtime cannot load ${model.manifest.name}: ${String(error)}`);
    });
    // Four megabytes and more that nobody needs from here on; the collector would take its time.
    freeMemory(bytes);
    checkFits(session, model);
    return new OnnxSession(session, model);
  }

  private constructor(session: InferenceSession, { manifest, variant }: LoadableModel) {
    const { input } = manifest;
    const tensor = createInputTensor(input);
    this.#session = session;
    this.#head = createHead(manifest, variant);
    this.#write = inputWriter(input, tensor);
    this.#feeds = { [input.name]: new ort.Tensor(input.type, tensor, inputShape(input)) };
  }

  /** @throws what ONNX Runtime or the head throws */
  async run(pixels: Uint8Array, placement: FramePlacement, parameters: InferenceParameters): Promise<RunReply> {
    const startedMs = performance.now();
    // The runtime refuses tensors in shared memory (before Node 24), so this is the one copy: 9 microseconds for 320 x 320.
    this.#write(pixels);
    const outputs = await this.#session.run(this.#feeds, this.#head.outputs);
    const ranMs = performance.now();
    const tensors = this.#head.outputs.map((name) => dataOf(outputs[name]));
    const packed = this.#head.decode(tensors, placement, parameters);
    // The runtime gives new buffers for every run. Freed at once, memory stays where it was after the first run; left to the
    // collector, Lite0 grows by 60 MB before it is tidied up.
    tensors.forEach(freeMemory);
    return { packed, inferenceMs: ranMs - startedMs, decodeMs: performance.now() - ranMs };
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** From what was prepared before, where that is kept; else from the file, preparing it for the next time. */
async function createSession(
  bytes: Uint8Array,
  { variant }: LoadableModel,
  options: WorkerOptions,
): Promise<InferenceSession> {
  const plain = sessionOptions(options);
  if (options.preparedDirectory === undefined) return ort.InferenceSession.create(bytes, plain);
  const maker = await makerOf(ort.env.versions.node ?? ort.env.versions.common);
  const prepared = new PreparedModel(options.preparedDirectory, variant, maker);
  const kept = await prepared.read();
  if (kept) {
    try {
      const session = await ort.InferenceSession.create(kept, { ...plain, graphOptimizationLevel: 'disabled' });
      freeMemory(kept);
      return session;
    } catch {
      await prepared.forget();
    }
  }
  try {
    await prepared.makeFolder();
    const session = await ort.InferenceSession.create(bytes, {
      ...plain,
      optimizedModelFilePath: prepared.temporaryPath,
      extra: { session: { ...plain.extra.session, save_model_format: 'ORT' } },
    });
    await prepared.keep();
    return session;
  } catch {
    // A full disk, or a folder that cannot be written: then nothing is kept. A file that is no model fails again.
    await rm(prepared.temporaryPath, { force: true }).catch(() => {});
    return ort.InferenceSession.create(bytes, plain);
  }
}

function sessionOptions({ threadsPerWorker }: Pick<WorkerOptions, 'threadsPerWorker'>) {
  return {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threadsPerWorker,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    // A spinning thread takes the core from the camera decoder and from the battery.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  } as const satisfies InferenceSession.SessionOptions;
}

/** The digest is of the very bytes that the runtime is given. */
async function readVerified({ manifest, variant, path }: LoadableModel): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new SessionError('io.failed', `${manifest.name} ${variant.name} cannot be read: ${String(error)}`);
  });
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== variant.sha256) {
    throw new SessionError(
      'model.digest',
      `${path} has SHA-256 ${digest}, not ${variant.sha256} as ${manifest.name} ${variant.name} must; delete it to have it fetched again`,
    );
  }
  return bytes;
}

function checkFits(session: InferenceSession, { manifest }: LoadableModel): void {
  const { input } = manifest;
  const found = session.inputMetadata.find((metadata) => metadata.name === input.name);
  const shape = inputShape(input).join('x');
  if (!found?.isTensor || found.type !== input.type || found.shape.join('x') !== shape) {
    const has = session.inputMetadata
      .map((m) => (m.isTensor ? `${m.name} ${m.type} ${m.shape.join('x')}` : m.name))
      .join(', ');
    throw new SessionError(
      'model.manifest',
      `${manifest.name}: the manifest's input is ${input.name} ${input.type} ${shape}, the file's is ${has}`,
    );
  }
}

function inputShape({ layout, height, width }: ImageInput): readonly number[] {
  return layout === 'NHWC' ? [1, height, width, 3] : [1, 3, height, width];
}

function inputWriter(input: ImageInput, tensor: InputTensor): (pixels: Uint8Array) => void {
  if (isPlain(input)) return (pixels) => tensor.set(pixels);
  const write = createInputWriter(input);
  return (pixels) => write(pixels, tensor);
}

function dataOf(value: InferenceSession.OnnxValueMapType[string] | undefined): OutputTensor {
  const data = value?.data;
  if (data instanceof Uint8Array || data instanceof Float32Array) return data;
  throw new SessionError('model.manifest', 'a head output is neither uint8 nor float32');
}
