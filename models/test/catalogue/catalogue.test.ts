import { describe, expect, it } from 'vitest';
import { Catalogue, catalogueAssets } from '../../src/catalogue/index.ts';
import { parseSourceUrl } from '../../src/fetch/source-url.ts';
import { catalogueManifests } from '../../src/manifest/index.ts';

describe('the catalogue', () => {
  const catalogue = new Catalogue();

  it('lists the detectors and the classifier', () => {
    const names = catalogue.entries().map(({ manifest, variant }) => `${manifest.name} ${variant.name}`);
    expect(names).toEqual([
      'efficientdet-lite0 int8',
      'efficientdet-lite0 float32',
      'efficientdet-lite1 int8',
      'efficientdet-lite1 float32',
      'efficientdet-lite2 int8',
      'efficientdet-lite2 float32',
      'efficientnet-lite0 int8',
    ]);
  });

  it('finds the preferred variant when none is named, and a named one', () => {
    expect(catalogue.find('efficientdet-lite1').variant.name).toBe('int8');
    expect(catalogue.find('efficientdet-lite1', 'float32').variant.precision).toBe('float32');
  });

  it.each([
    ['efficientdet', undefined, ['efficientdet-lite0', 'efficientdet-lite1', 'efficientdet-lite2']],
    ['eficientnet-lite0', undefined, ['efficientnet-lite0']],
    ['EfficientDet-Lite0', undefined, ['efficientdet-lite0']],
    ['efficientdet-lite0', 'int', ['int8']],
    ['efficientdet-lite0', 'float16', ['float32']],
    ['something else altogether', undefined, []],
    ['', undefined, []],
  ])('names what may have been meant by %s %s', (name, variant, near) => {
    expect(() => catalogue.find(name, variant)).toThrowError(
      expect.objectContaining({
        code: 'model.unknown',
        facts: expect.objectContaining({ near: expect.arrayContaining(near) }),
      }),
    );
  });

  it("lets a user's manifest take the place of one that comes with Shoal", () => {
    const [first] = catalogueManifests;
    if (!first) throw new Error('the catalogue is empty');
    const mine = { ...first, title: 'my own' };
    const both = new Catalogue([...catalogueManifests, mine]);
    expect(both.list()).toHaveLength(catalogueManifests.length);
    expect(both.find(first.name).manifest.title).toBe('my own');
  });

  it('has a pinned source for every file', () => {
    const files = [
      ...catalogue.entries().map(({ variant }) => variant.source.from),
      ...catalogueAssets.map((asset) => asset.file),
    ];
    for (const file of files) {
      expect(parseSourceUrl(file.url).kind).toBe('npm');
      expect(file.integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
    }
  });

  it('has the 80 labels of COCO at their ids, and the 1,000 of ImageNet', () => {
    const { labels } = catalogue.find('efficientdet-lite0').manifest;
    expect(labels).toHaveLength(90);
    expect(labels.filter((label) => label !== '')).toHaveLength(80);
    expect([labels[0], labels[16], labels[17], labels[18], labels[89]]).toEqual([
      'person',
      'cat',
      'dog',
      'horse',
      'toothbrush',
    ]);
    const imagenet = catalogue.find('efficientnet-lite0').manifest.labels;
    expect(new Set(imagenet).size).toBeGreaterThan(990);
    expect([imagenet.length, imagenet[0], imagenet[207], imagenet[999]]).toEqual([
      1_000,
      'tench',
      'golden retriever',
      'toilet tissue',
    ]);
  });
});
