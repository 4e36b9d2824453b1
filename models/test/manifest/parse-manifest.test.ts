import { isShoalError } from '@shoal/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogueManifests, parseManifest } from '../../src/manifest/index.ts';

const [detector, , , classifier] = catalogueManifests;

describe('parseManifest', () => {
  it.each(catalogueManifests.map((manifest) => [manifest.name, manifest] as const))(
    'takes %s from the catalogue as it is',
    (_, manifest) => {
      expect(parseManifest(JSON.parse(JSON.stringify(manifest)))).toEqual(manifest);
    },
  );

  it.each([
    ['a name with a capital', { name: 'Lite0' }, 'manifest.name'],
    ['a schema that is not known', { schema: 2 }, 'manifest.schema'],
    ['a field that is not known', { colour: 'red' }, 'manifest.colour'],
    ['a missing field', { labels: undefined }, 'manifest.labels'],
    ['no labels', { labels: [] }, 'manifest.labels'],
    ['a label that is a number', { labels: ['person', 7] }, 'manifest.labels[1]'],
    ['an input without width', { input: { ...detector?.input, width: undefined } }, 'manifest.input.width'],
    ['an input of a billion pixels', { input: { ...detector?.input, width: 1e9 } }, 'manifest.input.width'],
    ['normalisation of bytes', { input: { ...detector?.input, normalise: {} } }, 'manifest.input.normalise'],
    ['a head that is not known', { head: { kind: 'yolo' } }, 'manifest.head.kind'],
    ["another task's head", { head: classifier?.head }, 'manifest.head'],
    ['no variants', { variants: [] }, 'manifest.variants'],
    ['a variant twice', { variants: [detector?.variants[0], detector?.variants[0]] }, 'manifest.variants[1].name'],
    [
      'a digest in capitals',
      { variants: [{ ...detector?.variants[0], sha256: 'AB'.repeat(32) }] },
      'manifest.variants[0].sha256',
    ],
    [
      'a source that is not known',
      { variants: [{ ...detector?.variants[0], source: { kind: 'ftp' } }] },
      'manifest.variants[0].source.kind',
    ],
    [
      'a file of two digests',
      withSource({ kind: 'file', from: detector?.variants[0]?.source.from }),
      'manifest.variants[0].sha256',
    ],
    ['a file from nowhere', withFile({ url: 'gopher://x' }), 'manifest.variants[0].source.from.url'],
    ['a file of no size', withFile({ sizeBytes: 0 }), 'manifest.variants[0].source.from.sizeBytes'],
  ])('refuses %s and names the field', (_, change, field) => {
    const json = JSON.parse(JSON.stringify({ ...detector, ...change }));
    expect(() => parseManifest(json)).toThrowError(
      expect.objectContaining({ code: 'model.manifest', facts: { field } }),
    );
  });

  it('refuses a field that is nested without end, which cannot be shown', () => {
    const title: unknown = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000));
    expect(() => parseManifest({ ...detector, title })).toThrowError(
      expect.objectContaining({ code: 'model.manifest', facts: { field: 'manifest.title' } }),
    );
  });

  it('refuses anything else with model.manifest', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(() => parseManifest(json)).toThrowError(expect.objectContaining({ code: 'model.manifest' }));
      }),
    );
  });

  it('never lets a changed manifest through with a value of a wrong kind', () => {
    fc.assert(
      fc.property(fc.constantFrom(...pathsOf(detector)), fc.jsonValue(), (path, value) => {
        const json = JSON.parse(JSON.stringify(detector));
        const parent = path.slice(0, -1).reduce((node, key) => node[key], json);
        parent[path.at(-1) ?? ''] = value;
        try {
          expect(parseManifest(json)).toEqual(json);
        } catch (error) {
          if (!isShoalError(error, 'model.manifest')) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function withSource(source: object): object {
  return { variants: [{ ...detector?.variants[0], source }] };
}

function withFile(change: object): object {
  const variant = detector?.variants[0];
  return { variants: [{ ...variant, source: { ...variant?.source, from: { ...variant?.source.from, ...change } } }] };
}

function pathsOf(node: unknown, path: string[] = []): string[][] {
  if (typeof node !== 'object' || node === null) return [path];
  const inner = Object.entries(node).flatMap(([key, value]) => pathsOf(value, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}
