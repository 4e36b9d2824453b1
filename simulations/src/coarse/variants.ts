import { aChoice, type Choice } from '@shoal/coordinator';
import { catalogueManifests, type ModelVariant, type ObjectCount, objectCounts } from '@shoal/models/manifest';
import { floatGain, type ModelName, modelFactors } from '../fleet/index.ts';

/** The files of the models that devices were timed with. */
export const variants: readonly { readonly model: ModelName; readonly variant: ModelVariant }[] = catalogueManifests
  .filter(({ name }) => name in modelFactors)
  .flatMap(({ name, variants }) => variants.map((variant) => ({ model: name as ModelName, variant })));

const made = new Map<string, readonly Choice[]>();

/** What may be run for pictures with so many things. */
export function choicesFor(objects: ObjectCount, accuracyLoss: number): readonly Choice[] {
  const key = `${objects} ${accuracyLoss}`;
  const choices = made.get(key) ?? accurateEnough((...of) => accuracyOf(...of, objects), accuracyLoss);
  made.set(key, choices);
  return choices;
}

/** The same for a camera, on whose pictures there are now few things and now many: what models reach on the average. */
export function choicesForMixed(
  shares: Readonly<Record<ObjectCount, number>>,
  accuracyLoss: number,
): readonly Choice[] {
  return accurateEnough(
    (...of) => objectCounts.reduce((sum, objects) => sum + shares[objects] * accuracyOf(...of, objects), 0),
    accuracyLoss,
  );
}

function accurateEnough(
  accuracy: (model: ModelName, variant: ModelVariant) => number,
  accuracyLoss: number,
): readonly Choice[] {
  const all = variants.map(({ model, variant }) => aChoice(model, variant, accuracy(model, variant)));
  const best = Math.max(...all.map(({ accuracy }) => accuracy));
  return all.filter(({ accuracy }) => accuracy >= best - accuracyLoss);
}

function accuracyOf(model: ModelName, { precision }: ModelVariant, objects: ObjectCount): number {
  const int8 = variants.find((other) => other.model === model && other.variant.precision === 'int8');
  const measured = int8?.variant.accuracy.find((figure) => figure.metric === 'mAP' && figure.objects === objects);
  return (measured?.value ?? 0) + (precision === 'float32' ? floatGain : 0);
}
