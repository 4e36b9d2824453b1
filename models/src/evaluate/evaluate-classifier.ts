import { ShoalError } from '@shoal/protocol';
import type { LoadedModel } from '../engine/index.ts';
import { type EvaluationDeps, type EvaluationPicture, type Latency, runOver } from './run-over.ts';

export interface ClassifiedPicture extends EvaluationPicture {
  /** Name of the folder that the picture lies in. */
  readonly label: string;
}

export interface ClassifierReport {
  readonly pictures: number;
  /** Share of the pictures whose label is the first, or among the first five, that the model names. */
  readonly top1: number;
  readonly top5: number;
  readonly latency: Latency;
}

/**
 * Runs the classifier over the pictures and compares names, without regard to case, and `_` read as a space.
 * @throws `input.invalid` for a folder name that is no label of the model; what `runPicture` throws
 */
export async function evaluateClassifier(
  deps: EvaluationDeps,
  model: LoadedModel,
  pictures: readonly ClassifiedPicture[],
  signal: AbortSignal,
): Promise<ClassifierReport> {
  const { manifest } = model;
  if (manifest.head.kind !== 'classification')
    throw new ShoalError('input.invalid', `${manifest.name} is not a classifier`);
  const known = new Set(manifest.labels.map(plain));
  const stranger = pictures.find(({ label }) => !known.has(plain(label)));
  if (stranger)
    throw new ShoalError('input.invalid', `the folder "${stranger.label}" is named like no class of ${manifest.name}`);
  const ranks: number[] = [];
  const parameters = { minScore: 0, maxResults: 5 };
  const latency = await runOver(deps, model, pictures, parameters, signal, (picture, { output }) => {
    const names = output.kind === 'classes' ? output.classes.map(({ label }) => plain(label)) : [];
    ranks.push(names.indexOf(plain(picture.label)));
  });
  return {
    pictures: ranks.length,
    top1: share(ranks, (rank) => rank === 0),
    top5: share(ranks, (rank) => rank >= 0),
    latency,
  };
}

function plain(label: string): string {
  return label.toLowerCase().replaceAll('_', ' ').trim();
}

function share<T>(values: readonly T[], matches: (value: T) => boolean): number {
  return values.length === 0 ? 0 : values.filter(matches).length / values.length;
}
