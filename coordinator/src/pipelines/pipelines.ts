import type { ModelManifest, ModelVariant } from '@shoal/models/manifest';
import { ShoalError } from '@shoal/protocol';

/** A named analysis, as far as placing it goes: which kind of model it takes, and which one when nobody says. */
export interface Pipeline {
  readonly name: string;
  readonly model?: { readonly task: ModelManifest['task']; readonly default: string };
  readonly takesInput: boolean;
  /** Whether a camera can be bound to it. */
  readonly forCameras: boolean;
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
];

/** What a task or a camera asks for, with its defaults filled in. */
export interface ResolvedPipeline {
  readonly pipeline: Pipeline;
  readonly model?: ModelManifest;
  /** Files of the model that may be run: the one that was asked for, or all. Empty without a model. */
  readonly variants: readonly ModelVariant[];
}

/** The models by name. */
export type ModelIndex = ReadonlyMap<string, ModelManifest>;

export function indexModels(manifests: readonly ModelManifest[]): ModelIndex {
  return new Map(manifests.map((manifest) => [manifest.name, manifest]));
}

/** @throws `input.invalid` for an unknown pipeline or a model of the wrong kind; `model.unknown`. */
export function resolvePipeline(
  spec: { readonly pipeline: string; readonly model?: string; readonly variant?: string },
  models: ModelIndex,
): ResolvedPipeline {
  const pipeline = pipelines.find(({ name }) => name === spec.pipeline);
  if (!pipeline) {
    const known = pipelines.map(({ name }) => name).join(', ');
    throw invalid('pipeline', `there is no pipeline ${quoted(spec.pipeline)}; known are ${known}`);
  }
  if (!pipeline.model) {
    if (spec.model ?? spec.variant) throw invalid('model', `the pipeline ${pipeline.name} takes no model`);
    return { pipeline, variants: [] };
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
  return { pipeline, model, variants: variantsOf(model, spec.variant) };
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
