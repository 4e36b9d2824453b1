import type { ModelManifest, ModelVariant, ObjectCount } from '@shoal/models/manifest';
import { ShoalError } from '@shoal/protocol';
import { aChoice, type Choice } from '../placement/index.ts';

/** A named analysis, as far as placing it goes: which kind of model it takes, and which one when nobody says. */
export interface Pipeline {
  readonly name: string;
  readonly model?: { readonly task: ModelManifest['task']; readonly default: string };
  readonly takesInput: boolean;
  /** Whether a camera can be bound to it. */
  readonly forCameras: boolean;
  /** It follows what goes on over time, which a single picture does not show. */
  readonly onlyCameras?: true;
}

export const pipelines: readonly Pipeline[] = [
  { name: 'noop', takesInput: false, forCameras: false },
  {
    name: 'detect',
    model: { task: 'detect', default: 'efficientdet-lite0' },
    takesInput: true,
    forCameras: true,
  },
  {
    name: 'classify',
    model: { task: 'classify', default: 'efficientnet-lite0' },
    takesInput: true,
    forCameras: true,
  },
  {
    name: 'watch',
    model: { task: 'detect', default: 'efficientdet-lite0' },
    takesInput: true,
    forCameras: true,
    onlyCameras: true,
  },
];

/** What a task or a camera asks for, with its defaults filled in. */
export interface ResolvedPipeline {
  readonly pipeline: Pipeline;
  /** The one that was asked for, or the pipeline's own. */
  readonly model?: ModelManifest;
  /** What may be run: files of that model, and of others that are accurate enough. Empty without a model. */
  readonly choices: readonly Choice[];
}

/** What is asked of a pipeline, as far as its model goes. */
export interface PipelineRequest {
  readonly pipeline: string;
  readonly model?: string;
  readonly variant?: string;
  /** Accuracy that may be given up against the model that is asked for, 0..1. */
  readonly accuracyLoss?: number;
  /** How many things are expected on the picture; left out: as many as there usually are. */
  readonly objects?: ObjectCount;
}

/** The models by name. */
export type ModelIndex = ReadonlyMap<string, ModelManifest>;

export function indexModels(manifests: readonly ModelManifest[]): ModelIndex {
  return new Map(manifests.map((manifest) => [manifest.name, manifest]));
}

/** @throws `input.invalid` for an unknown pipeline or a model of the wrong kind; `model.unknown`. */
export function resolvePipeline(spec: PipelineRequest, models: ModelIndex): ResolvedPipeline {
  const pipeline = pipelines.find(({ name }) => name === spec.pipeline);
  if (!pipeline) {
    const known = pipelines.map(({ name }) => name).join(', ');
    throw invalid('pipeline', `there is no pipeline ${quoted(spec.pipeline)}; known are ${known}`);
  }
  if (spec.objects !== undefined && pipeline.model?.task !== 'detect')
    throw invalid('objects', `the pipeline ${pipeline.name} does not look for things`);
  if (!pipeline.model) {
    if (spec.model ?? spec.variant) throw invalid('model', `the pipeline ${pipeline.name} takes no model`);
    return { pipeline, choices: [] };
  }
  const name = spec.model ?? pipeline.model.default;
  const model = models.get(name);
  if (!model) {
    const known = [...models.keys()].join(', ');
    throw new ShoalError('model.unknown', `there is no model ${quoted(name)}; known are ${known}`, { field: 'model' });
  }
  if (model.task !== pipeline.model.task) {
    throw invalid(
      'model',
      `${name} is a model for ${model.task}; the pipeline ${pipeline.name} takes one for ${pipeline.model.task}`,
    );
  }
  if (spec.accuracyLoss === undefined)
    return { pipeline, model, choices: choicesOf(model, spec.objects, spec.variant) };
  if (spec.variant !== undefined) {
    throw invalid('accuracyLoss', 'a variant is asked for by name: no accuracy can be given up for another');
  }
  return { pipeline, model, choices: accurateChoices(model, spec.accuracyLoss, spec.objects, models) };
}

/** All that any model for the same task reaches within the loss against the best of this one. */
function accurateChoices(
  model: ModelManifest,
  accuracyLoss: number,
  objects: ObjectCount | undefined,
  models: ModelIndex,
): readonly Choice[] {
  const best = Math.max(...choicesOf(model, objects).map(({ accuracy }) => accuracy));
  const all = [...models.values()]
    .filter(({ task }) => task === model.task)
    .flatMap((other) => choicesOf(other, objects));
  return all.filter((choice) => choice.model === model.name || choice.accuracy >= best - accuracyLoss);
}

function choicesOf(model: ModelManifest, objects: ObjectCount | undefined, variant?: string): readonly Choice[] {
  // On pictures with so many things, where the model was measured on such; else on all of them.
  const on = model.variants.some((each) => accuracyOn(each, objects) !== undefined) ? objects : undefined;
  const known = model.variants.map((each) => accuracyOn(each, on)).filter((accuracy) => accuracy !== undefined);
  // What was not measured is taken for as good as the best of the same model.
  const best = Math.max(0, ...known);
  return variantsOf(model, variant).map((each) => aChoice(model.name, each, accuracyOn(each, on) ?? best));
}

/** `undefined`: not measured. */
function accuracyOn({ accuracy }: ModelVariant, objects: ObjectCount | undefined): number | undefined {
  return accuracy.find((figure) => figure.objects === objects && (figure.metric === 'mAP' || figure.metric === 'top1'))
    ?.value;
}

function variantsOf(model: ModelManifest, name: string | undefined): readonly ModelVariant[] {
  if (name === undefined) return model.variants;
  const variants = model.variants.filter((variant) => variant.name === name);
  if (variants.length > 0) return variants;
  const known = model.variants.map((variant) => variant.name).join(', ');
  throw new ShoalError('model.unknown', `${model.name} has no variant ${quoted(name)}; it has ${known}`, {
    field: 'variant',
  });
}

function invalid(field: string, message: string): ShoalError {
  return new ShoalError('input.invalid', message, { field });
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
