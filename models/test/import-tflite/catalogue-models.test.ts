import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { Catalogue } from '../../src/catalogue/index.ts';
import { importTflite } from '../../src/import-tflite/import-tflite.ts';
import { decodeOnnx } from '../../src/onnx-format/index.ts';
import { generateAnchors } from '../../src/stages/anchors.ts';
import { realModelStore, realSourceFile, whenReachable } from '../real-models.ts';

const store = realModelStore();
const entries = new Catalogue().entries();

/** Convolutions, depthwise ones included, as counted in the TFLite files. */
const convolutions: Readonly<Record<string, number>> = {
  'efficientdet-lite0': 182,
  'efficientdet-lite1': 213,
  'efficientdet-lite2': 229,
  'efficientnet-lite0': 49,
};

describe.each(entries.map((entry) => [entry.manifest.name, entry.variant.name, entry] as const))(
  '%s %s',
  async (name, variantName, entry) => {
    const { manifest, variant } = entry;
    const { source } = variant;
    const model = await whenReachable(`${name} ${variantName}`, (signal) =>
      store.resolve(name, variantName, { signal }),
    );
    const tflite = model && (await whenReachable(name, (signal) => realSourceFile(entry, signal)));

    it.skipIf(!tflite)(
      'is imported to exactly the file of the catalogue, with the outputs of the manifest',
      async () => {
        if (!tflite || source.kind !== 'tflite-import') throw new Error('a model of this family is imported');
        const imported = importTflite(await readFile(tflite), source.precision);
        expect(createHash('sha256').update(imported.onnx).digest('hex')).toBe(variant.sha256);
        expect(imported.onnx).toHaveLength(variant.sizeBytes);
        const quantizations = imported.outputs.flatMap((output) =>
          output.quantization ? [[output.name, output.quantization]] : [],
        );
        expect(Object.fromEntries(quantizations)).toEqual(variant.outputs);
        if (manifest.head.kind !== 'anchor-detection') return;
        const described = generateAnchors(manifest.head.anchors, manifest.input.width, manifest.input.height);
        expect(imported.anchors).toHaveLength(described.length);
        const farthest = described.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - (imported.anchors?.[i] ?? Number.NaN))),
          0,
        );
        expect(farthest).toBeLessThan(1e-5);
      },
    );

    it.skipIf(!model)('runs in ONNX Runtime with the input and the outputs that the manifest names', async () => {
      const session = await InferenceSession.create(model?.path ?? '', { intraOpNumThreads: 1 });
      expect(session.inputNames).toEqual([manifest.input.name]);
      const { head } = manifest;
      expect(session.outputNames).toEqual(
        head.kind === 'classification' ? [head.scores.name] : [head.boxes.name, head.logits.name],
      );
      await session.release();
    });

    if (variantName !== 'int8') return;
    it.skipIf(!model)('has every convolution quantized in the graph that ONNX Runtime runs', async () => {
      const counts = await optimizedOperators(model?.path ?? '');
      expect(counts.get('QLinearConv')).toBe(convolutions[name]);
      for (const left of ['Conv', 'FusedConv', 'Clip', 'DequantizeLinear', 'QuantizeLinear', 'Transpose'])
        expect(counts.has(left), left).toBe(false);
    });
  },
);

/** How often each operator is left after all optimizations. */
async function optimizedOperators(path: string): Promise<Map<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-optimized-'));
  try {
    const optimizedModelFilePath = join(folder, 'model.onnx');
    // Level 3: the runtime warns that the file would fit this CPU only, which is what is looked at.
    const session = await InferenceSession.create(path, {
      optimizedModelFilePath,
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    await session.release();
    const counts = new Map<string, number>();
    for (const { operator } of decodeOnnx(await readFile(optimizedModelFilePath)).nodes)
      counts.set(operator, (counts.get(operator) ?? 0) + 1);
    return counts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
