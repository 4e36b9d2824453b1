import type { LoadableModel, ModelManifest, ModelVariant } from '@shoal/models';

/** Model files on this device: those it has, and those it can get. */
export interface ModelShelf {
  /** Whether the model and variant are in the catalogue; an empty variant means the model's first. */
  knows(model: string, variant: string): boolean;
  /**
   * The verified file, fetched when it is not here.
   * @throws `model.unknown`, `model.digest`, `net.unreachable`, `io.disk-full`, `aborted`
   */
  resolve(model: string, variant: string, signal: AbortSignal): Promise<LoadableModel>;
  /** What is here already. */
  held(): Promise<readonly HeldVariant[]>;
}

export interface HeldVariant {
  readonly manifest: ModelManifest;
  readonly variant: ModelVariant;
}
