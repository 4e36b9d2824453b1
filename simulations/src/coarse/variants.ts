import { aChoice, type Choice } from '@shoal/coordinator';
import { catalogueManifests, type ModelVariant } from '@shoal/models/manifest';
import { accuracyByObjects, floatGain, type ModelName, modelFactors, type ObjectGroup } from '../fleet/index.ts';

/** The files of the models that devices were timed with. */
export const variants: readonly { readonly model: ModelName; readonly variant: ModelVariant }[] = catalogueManifests
  .filter(({ name }) => name in modelFactors)
  .flatMap(({ name, variants }) => variants.map((variant) => ({ model: name as ModelName, variant })));

/** What may be run for pictures with so many objects. */
export const choicesFor = (() => {
  const made = new Map<string, readonly Choice[]>();
  return (group: ObjectGroup, accuracyLoss: number): readonly Choice[] => {
    const key = `${group} ${accuracyLoss}`;
    let choices = made.get(key);
    if (!choices) {
      const all = variants.map(({ model, variant }) =>
        aChoice(model, variant, accuracyByObjects[group][model] + (variant.precision === 'float32' ? floatGain : 0)),
      );
      const best = Math.max(...all.map(({ accuracy }) => accuracy));
      choices = all.filter(({ accuracy }) => accuracy >= best - accuracyLoss);
      made.set(key, choices);
    }
    return choices;
  };
})();
