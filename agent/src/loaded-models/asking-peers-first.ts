import { asShoalError, type Logger } from '@shoal/protocol';
import type { ModelShelf } from './model-shelf.ts';

/** A file of a model, as its manifest names it. */
export interface ModelFile {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface ModelPeers {
  /** Brings a file into the cache. @throws when no other agent has it */
  fetch(file: ModelFile, name: string, signal: AbortSignal): Promise<void>;
}

interface Deps {
  readonly shelf: ModelShelf;
  readonly peers: ModelPeers;
  /** The file that a model and variant are when they are ready to load; `undefined` for what is not known. */
  readonly fileOf: (model: string, variant: string) => ModelFile | undefined;
  readonly isHeld: (file: ModelFile) => Promise<boolean>;
  readonly logger: Logger;
}

/** The shelf, with what is not on it taken from other agents of the fleet where one has it, and from its source where none does. */
export function askingPeersFirst({ shelf, peers, fileOf, isHeld, logger }: Deps): ModelShelf {
  return {
    ...shelf,
    async resolve(model, variant, signal) {
      const file = fileOf(model, variant);
      if (file && !(await isHeld(file))) await fromPeers(file, model, variant, signal);
      return shelf.resolve(model, variant, signal);
    },
  };

  async function fromPeers(file: ModelFile, model: string, variant: string, signal: AbortSignal): Promise<void> {
    try {
      await peers.fetch(file, `${model} ${variant}`.trim(), signal);
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = asShoalError(error);
      logger[code === 'not-found' ? 'debug' : 'warn']('no other agent gave the model: it is fetched from its source', {
        model,
        variant,
        code,
        why: message,
      });
    }
  }
}
