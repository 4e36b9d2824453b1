import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@shoal/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Catalogue, ModelStore } from '../../src/catalogue/index.ts';

import { importTflite } from '../../src/import-tflite/import-tflite.ts';
import { importInThread, type TfliteImporter } from '../../src/import-tflite/index.ts';
import { catalogueManifests, type ModelManifest } from '../../src/manifest/index.ts';
import { aFetcher, noAbort, sourceOf } from '../fetch/a-fetcher.ts';
import { type ModelSpec, writeTflite } from '../import-tflite/tflite-writer.ts';
import { realSourceFile, whenReachable } from '../real-models.ts';

/** y = x + 1 on four bytes. */
const plusOne: ModelSpec = {
  tensors: [
    { name: 'x', type: 'uint8', shape: [1, 4], scales: [1], zeroPoints: [0] },
    { name: 'one', type: 'float32', shape: [1], data: Float32Array.of(1) },
    { name: 'y', type: 'uint8', shape: [1, 4], scales: [1], zeroPoints: [0] },
  ],
  operators: [{ code: 0, inputs: ['x', 'one'], outputs: ['y'] }],
  inputs: ['x'],
  outputs: ['y'],
};

const tflite = writeTflite(plusOne);
const { onnx } = importTflite(tflite, 'int8');
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-cache-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the model store', () => {
  it('fetches, converts in a thread, checks and keeps a model', async () => {
    const { store } = await aStore(await aManifest());
    const model = await store.resolve('my-model', undefined, noAbort);
    expect(Buffer.compare(await readFile(model.path), onnx)).toBe(0);
    expect([model.manifest.name, model.variant.name]).toEqual(['my-model', 'int8']);
    expect(await readdir(join(directory, 'temporary'))).toEqual([]);
  });

  it('converts once for callers at the same time, and not at all the next time', async () => {
    const { store, imports } = await aStore(await aManifest());
    await Promise.all([1, 2, 3].map(() => store.resolve('my-model', 'int8', noAbort)));
    await store.resolve('my-model', 'int8', noAbort);
    expect(imports()).toBe(1);
  });

  it('names the variants that it holds', async () => {
    const { store } = await aStore(await aManifest());
    expect(await store.held()).toEqual([]);
    await store.resolve('my-model', 'int8', noAbort);
    expect((await store.held()).map(({ manifest, variant }) => `${manifest.name} ${variant.name}`)).toEqual([
      'my-model int8',
    ]);
  });

  it('takes a file of ONNX as it is', async () => {
    const path = join(directory, 'model.onnx');
    await writeFile(path, onnx);
    const { store, imports } = await aStore(
      await aManifest({ source: { kind: 'file', from: sourceOf(onnx, `file:${path}`) } }),
    );
    expect(Buffer.compare(await readFile((await store.resolve('my-model', 'int8', noAbort)).path), onnx)).toBe(0);
    expect(imports()).toBe(0);
  });

  it('refuses, and does not keep, a conversion that is not what the manifest says', async () => {
    const { store, cache } = await aStore(await aManifest({ sha256: 'ab'.repeat(32) }));
    await expect(store.resolve('my-model', 'int8', noAbort)).rejects.toMatchObject({
      code: 'model.digest',
      message: expect.stringContaining('as converted here'),
    });
    expect(await cache.list()).toEqual([createHash('sha256').update(tflite).digest('hex')]);
    expect(await readdir(join(directory, 'temporary'))).toEqual([]);
  });

  it('says why a file cannot be converted', async () => {
    const path = join(directory, 'broken.tflite');
    const broken = tflite.slice(0, 200);
    await writeFile(path, broken);
    const source = { kind: 'tflite-import', precision: 'int8', from: sourceOf(broken, `file:${path}`) } as const;
    const { store } = await aStore(await aManifest({ source }));
    await expect(store.resolve('my-model', 'int8', noAbort)).rejects.toMatchObject({
      code: 'model.import',
      message: expect.stringContaining('corrupt'),
    });
  });

  it('can be stopped while it converts', async () => {
    const stop = new AbortController();
    const { store } = await aStore(await aManifest(), (request, signal) => {
      const report = importInThread(request, signal);
      stop.abort();
      return report;
    });
    await expect(store.resolve('my-model', 'int8', { signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(await store.held()).toEqual([]);
  });

  it('refuses a manifest that describes other anchors than the file has', async () => {
    const [detector] = catalogueManifests;
    if (detector?.head.kind !== 'anchor-detection') throw new Error('the first of the catalogue is a detector');
    const manifest = await aManifest();
    const { store } = await aStore(
      { ...manifest, head: detector.head, input: detector.input },
      async (request, signal) => ({
        ...(await importInThread(request, signal)),
        anchors: new Float32Array(16),
      }),
    );
    await expect(store.resolve('my-model', 'int8', noAbort)).rejects.toMatchObject({
      code: 'model.import',
      facts: { field: 'manifest.head.anchors' },
    });
  });

  it('names near names for a model, a variant and an asset that it does not know', async () => {
    const { store } = await aStore(await aManifest());
    await expect(store.resolve('my-modle', undefined, noAbort)).rejects.toMatchObject({
      code: 'model.unknown',
      facts: { near: ['my-model'] },
    });
    await expect(store.resolve('my-model', 'int9', noAbort)).rejects.toMatchObject({
      code: 'model.unknown',
      facts: { near: ['int8'] },
    });
    await expect(store.asset('sample-klip', noAbort)).rejects.toMatchObject({
      code: 'model.unknown',
      facts: { near: ['sample-clip'] },
    });
  });
});

describe('the largest model of the catalogue', async () => {
  const entry = new Catalogue().find('efficientdet-lite2', 'float32');
  const tflitePath = await whenReachable('efficientdet-lite2', (signal) => realSourceFile(entry, signal));

  it.skipIf(!tflitePath)('is made ready without holding up the event loop for 20 ms', async () => {
    const { manifest, variant } = entry;
    const source = {
      kind: 'tflite-import',
      precision: 'float32',
      from: { ...variant.source.from, url: `file:${tflitePath}` },
    } as const;
    const { store } = await aStore({ ...manifest, variants: [{ ...variant, source }] });
    const longest = longestTurn();
    await store.resolve(manifest.name, variant.name, noAbort);
    expect(longest.endMs()).toBeLessThan(20);
  });
});

/** The longest that this thread works between two turns of its event loop, in ms of its processor: a machine that is shared does not count. */
function longestTurn() {
  let longestUs = 0;
  let before = process.threadCpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    longestUs = Math.max(longestUs, user + system);
  }, 1);
  return {
    endMs() {
      clearInterval(timer);
      return longestUs / 1_000;
    },
  };
}

async function aStore(manifest: ModelManifest, importer: TfliteImporter = importInThread) {
  const { fetcher, cache } = await aFetcher({ directory });
  let imports = 0;
  const counted: TfliteImporter = (request, signal) => {
    imports += 1;
    return importer(request, signal);
  };
  const store = new ModelStore({
    catalogue: new Catalogue([manifest]),
    cache,
    fetcher,
    importTflite: counted,
    logger: silentLogger,
  });
  return { store, cache, imports: () => imports };
}

async function aManifest(variant: Partial<ModelManifest['variants'][number]> = {}): Promise<ModelManifest> {
  const path = join(directory, 'model.tflite');
  await writeFile(path, tflite);
  return {
    schema: 1,
    name: 'my-model',
    version: '1',
    title: 'adds one',
    task: 'classify',
    licence: { spdx: 'Apache-2.0', source: 'here' },
    labels: ['a', 'b', 'c', 'd'],
    input: {
      name: 'input',
      width: 1,
      height: 1,
      layout: 'NHWC',
      type: 'uint8',
      colour: 'rgb',
      fit: 'stretch',
      padValue: 0,
    },
    head: { kind: 'classification', scores: { name: 'scores' }, activation: 'none', topK: 1 },
    variants: [
      {
        name: 'int8',
        precision: 'int8',
        format: 'onnx',
        sha256: createHash('sha256').update(onnx).digest('hex'),
        sizeBytes: onnx.length,
        source: { kind: 'tflite-import', precision: 'int8', from: sourceOf(tflite, `file:${path}`) },
        outputs: { scores: { scale: 1, zeroPoint: 0 } },
        accuracy: [],
        ...variant,
      },
    ],
  };
}
