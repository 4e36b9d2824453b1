import { rm } from 'node:fs/promises';
import { type Logger, ShoalError } from '@shoal/protocol';
import { explainDiskFull, type FileCache } from '../cache/index.ts';
import type { LoadableModel } from '../engine/index.ts';
import { type Fetcher, type FetchOptions, SharedWork } from '../fetch/index.ts';
import type { ImportReport, TfliteImporter } from '../import-tflite/index.ts';
import type { FileSource } from '../manifest/index.ts';
import { generateAnchors } from '../stages/index.ts';
import { type CatalogueAsset, catalogueAssets } from './assets.ts';
import { type Catalogue, type CatalogueEntry, unknownName } from './catalogue.ts';

export interface ModelStoreDeps {
  readonly catalogue: Catalogue;
  readonly cache: FileCache;
  readonly fetcher: Fetcher;
  readonly importTflite: TfliteImporter;
  readonly logger: Logger;
}

/** The constant in a file is float32, and was computed by other software than ours. */
const anchorTolerance = 1e-5;

/** Makes models of the catalogue ready to load: fetched, converted where needed, checked, kept. */
export class ModelStore {
  readonly catalogue: Catalogue;
  readonly #deps: ModelStoreDeps;
  readonly #shared = new SharedWork<string>();

  constructor(deps: ModelStoreDeps) {
    this.catalogue = deps.catalogue;
    this.#deps = deps;
  }

  /**
   * The model with the path of its verified file. Needs no network when it was resolved before.
   * @param variantName Left out: the manifest's first.
   * @throws `model.unknown`, `model.import`, and what fetching throws.
   */
  async resolve(name: string, variantName: string | undefined, options: FetchOptions): Promise<LoadableModel> {
    const entry = this.catalogue.find(name, variantName);
    const path = await this.#shared.run(entry.variant.sha256, options, (shared) => this.#fileOf(entry, shared));
    return { ...entry, path };
  }

  /** The variants whose files are in the cache already. */
  async held(): Promise<CatalogueEntry[]> {
    const entries = this.catalogue.entries();
    const present = await Promise.all(entries.map(({ variant }) => this.#deps.cache.has(variant)));
    return entries.filter((_, index) => present[index]);
  }

  /**
   * The path of an asset's verified file, for example `sample-clip`.
   * @throws `model.unknown`, and what fetching throws.
   */
  async asset(name: string, options: FetchOptions): Promise<{ readonly asset: CatalogueAsset; readonly path: string }> {
    const asset = catalogueAssets.find((one) => one.name === name);
    if (!asset) {
      const names = catalogueAssets.map((one) => one.name);
      throw unknownName('asset', name, names);
    }
    return { asset, path: await this.#deps.fetcher.fetch(asset.file, asset.name, options) };
  }

  async #fileOf(entry: CatalogueEntry, options: FetchOptions): Promise<string> {
    const { cache, fetcher } = this.#deps;
    const { manifest, variant } = entry;
    const held = await cache.verified(variant, options.signal);
    if (held !== undefined) return held;
    switch (variant.source.kind) {
      case 'file':
        return fetcher.fetch(variant.source.from, manifest.name, options);
      case 'tflite-import':
        return this.#imported(entry, variant.source.from, variant.source.precision, options);
    }
  }

  async #imported(
    entry: CatalogueEntry,
    from: FileSource,
    precision: 'int8' | 'float32',
    options: FetchOptions,
  ): Promise<string> {
    const { cache, fetcher, importTflite, logger } = this.#deps;
    const { manifest, variant } = entry;
    const tflitePath = await fetcher.fetch(from, manifest.name, options);
    const onnxPath = await cache.temporaryPath();
    try {
      const report = await importTflite({ tflitePath, onnxPath, precision }, options.signal);
      checkAnchors(entry, report);
      logger.info('converted a model', { model: manifest.name, variant: variant.name });
      return await cache.adopt(
        onnxPath,
        variant,
        `${manifest.name} ${variant.name}, as converted here,`,
        options.signal,
      );
    } catch (error) {
      throw explainDiskFull(error, manifest.name, cache.directory);
    } finally {
      await rm(onnxPath, { force: true });
    }
  }
}

/** The boxes would lie beside the things when the manifest described other anchors than the network was trained with. */
function checkAnchors({ manifest, variant }: CatalogueEntry, { anchors }: ImportReport): void {
  if (manifest.head.kind !== 'anchor-detection' || !anchors) return;
  const described = generateAnchors(manifest.head.anchors, manifest.input.width, manifest.input.height);
  const fits =
    described.length === anchors.length &&
    described.every((value, at) => Math.abs(value - (anchors[at] ?? 0)) <= anchorTolerance);
  if (fits) return;
  throw new ShoalError(
    'model.import',
    `${manifest.name} ${variant.name}: the anchors in the file (${anchors.length / 4}) are not those of the manifest's head.anchors (${described.length / 4})`,
    { model: manifest.name, field: 'manifest.head.anchors' },
  );
}
