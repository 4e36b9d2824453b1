import type { ModelManifest } from '@shoal/models/manifest';
import { Type } from 'typebox';
import type { Resource } from '../resource.ts';
import { problems } from '../views/index.ts';

const Accuracy = Type.Object({
  dataset: Type.String(),
  metric: Type.String({ examples: ['mAP', 'mAP50', 'top1'] }),
  value: Type.Number({ description: '0..1' }),
  objects: Type.Optional(Type.String({ description: 'Only on pictures with so many things.', examples: ['few'] })),
});

const Model = Type.Object({
  name: Type.String({ examples: ['efficientdet-lite0'] }),
  version: Type.String(),
  title: Type.String(),
  task: Type.String({ examples: ['detect', 'classify'] }),
  licence: Type.Object({ spdx: Type.String(), source: Type.String() }),
  input: Type.Object({ width: Type.Integer(), height: Type.Integer() }, { description: 'Pixels that it looks at.' }),
  labels: Type.Integer({ description: 'How many kinds of things it knows.' }),
  variants: Type.Array(
    Type.Object({
      name: Type.String({ examples: ['int8', 'float32'] }),
      sha256: Type.String(),
      sizeBytes: Type.Number(),
      accuracy: Type.Array(Accuracy),
    }),
  ),
});

/** The models that tasks and cameras may ask for. */
export const models: Resource =
  ({ coordinator }) =>
  async (api) => {
    api.get(
      '/v1/models',
      {
        schema: {
          tags: ['models'],
          summary: 'List the models, how large and how accurate they are',
          description: 'How fast each is on a device is in the profiles of that device.',
          operationId: 'listModels',
          response: { 200: Type.Object({ items: Type.Array(Model) }), ...problems() },
        },
      },
      async () => ({ items: coordinator.models.map(modelView) }),
    );
  };

function modelView({ name, version, title, task, licence, input, labels, variants }: ModelManifest) {
  return {
    ...{ name, version, title, task, licence },
    input: { width: input.width, height: input.height },
    labels: labels.filter((label) => label !== '').length,
    variants: variants.map(({ name: variant, sha256, sizeBytes, accuracy }) => ({
      name: variant,
      sha256,
      sizeBytes,
      accuracy: [...accuracy],
    })),
  };
}
