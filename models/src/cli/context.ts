import type { Clock } from '@shoal/protocol';
import type { ModelStore } from '../catalogue/index.ts';
import { FramePool, PictureDecoder } from '../decode/index.ts';
import type { Engine, LoadedModel } from '../engine/index.ts';
import type { FetchProgress } from '../fetch/index.ts';
import type { PipelineDeps } from '../pipeline/index.ts';

/** What a command has at hand. Results go to `print`; whatever else is said goes to `say`, so that a pipe stays clean. */
export interface CommandContext {
  readonly clock: Clock;
  readonly store: ModelStore;
  readonly signal: AbortSignal;
  print(text: string): void;
  say(text: string): void;
  /** A line that takes the place of the last one, where the terminal can do that. */
  progress(text: string): void;
  createEngine(): Engine;
}

/** Fetches and loads the model, lets `use` work with it, and leaves nothing behind. */
export async function withModel<T>(
  context: CommandContext,
  name: string,
  variantName: string | undefined,
  use: (model: LoadedModel, deps: PipelineDeps) => Promise<T>,
): Promise<T> {
  const { clock, signal } = context;
  const model = await context.store.resolve(name, variantName, {
    signal,
    onProgress: (p) => context.progress(received(p)),
  });
  const frames = new FramePool(2);
  const engine = context.createEngine();
  try {
    const loaded = await engine.load(model, signal);
    return await use(loaded, { clock, frames, decoder: new PictureDecoder({ frames }) });
  } finally {
    await engine.dispose();
  }
}

export function received({ name, receivedBytes, totalBytes }: FetchProgress): string {
  const of = totalBytes === undefined ? '' : ` of ${megabytes(totalBytes)}`;
  return `fetching ${name}: ${megabytes(receivedBytes)}${of}`;
}

export function megabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e6).toFixed(1)} MB`;
}
