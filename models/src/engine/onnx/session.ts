import { createHash } from 'node:crypto';
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
import { prepareInChild } from './prepare.ts';
import { makerOf, PreparedModel } from './prepared-model.ts';
import { readIntoPages } from './read-into-pages.ts';
import { sessionOptions } from './session-options.ts';

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

/** From the prepared model, where such are kept, making it when there is none; else from the file, with the optimiser in this very process. */
async function createSession(
  bytes: Uint8Array,
  { variant, path }: LoadableModel,
  options: WorkerOptions,
): Promise<InferenceSession> {
  const plain = sessionOptions(options.threadsPerWorker);
  if (options.preparedDirectory === undefined) return ort.InferenceSession.create(bytes, plain);
  const maker = await makerOf(ort.env.versions.node ?? ort.env.versions.common);
  const prepared = new PreparedModel(options.preparedDirectory, variant, maker);
  const made = (await openPrepared(prepared, plain)) ?? (await makeAndOpen(prepared, path, plain, options));
  // A full disk, a folder that cannot be written, or a file that is no model: that one fails again.
  return made ?? ort.InferenceSession.create(bytes, plain);
}

/** `undefined` when there is none that the runtime takes. */
async function openPrepared(
  prepared: PreparedModel,
  plain: ReturnType<typeof sessionOptions>,
): Promise<InferenceSession | undefined> {
  const kept = await prepared.read();
  if (!kept) return undefined;
  try {
    return await ort.InferenceSession.create(kept, {
      ...plain,
      graphOptimizationLevel: 'disabled',
      // Without a copy of its own: these stay until the session is made.
      extra: { session: { ...plain.extra.session, use_ort_model_bytes_directly: '1' } },
    });
  } catch {
    await prepared.forget();
    return undefined;
  } finally {
    freeMemory(kept);
  }
}

async function makeAndOpen(
  prepared: PreparedModel,
  modelPath: string,
  plain: ReturnType<typeof sessionOptions>,
  { threadsPerWorker, prepareEntry }: WorkerOptions,
): Promise<InferenceSession | undefined> {
  try {
    await prepared.make((path) => prepareInChild({ modelPath, path, threadsPerWorker }, prepareEntry));
  } catch {
    return undefined;
  }
  return openPrepared(prepared, plain);
}

/** The digest is of the very bytes that the runtime is given. */
async function readVerified({ manifest, variant, path }: LoadableModel): Promise<Uint8Array> {
  const bytes = await readIntoPages(path).catch((error: unknown) => {
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
