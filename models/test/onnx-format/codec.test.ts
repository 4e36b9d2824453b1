import { readFile } from 'node:fs/promises';
import { isShoalError } from '@shoal/protocol';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { onnxDescriptor } from '../../proto/generate.ts';
import { decodeOnnx, encodeOnnx, OnnxGraphBuilder, type OnnxModel } from '../../src/onnx-format/index.ts';

const about = { producer: 'test', opsets: { '': 17 }, metadata: { 'shoal.note': 'a note' } };

/** y = clip(x + 1, 0, 6), and a branch that leads nowhere. */
function aModel(): OnnxModel {
  const graph = new OnnxGraphBuilder();
  const x = graph.input('x', 'float32', [2]);
  const sum = graph.node('Add', [x, graph.constant('one', [1], Float32Array.of(1))]);
  graph.node('Mul', [sum, graph.constant('unused', [1], Float32Array.of(2))]);
  const clipped = graph.node('Clip', [
    sum,
    graph.constant('zero', [], Float32Array.of(0)),
    graph.constant('six', [], Float32Array.of(6)),
  ]);
  graph.output('y', 'float32', [2], clipped);
  return graph.build(about);
}

describe('the ONNX codec', () => {
  it('writes a file that ONNX Runtime loads and runs', async () => {
    const session = await InferenceSession.create(encodeOnnx(aModel()));
    const { y } = await session.run({ x: new Tensor('float32', [-3, 10], [2]) });
    expect(Array.from((y?.data ?? []) as Float32Array)).toEqual([0, 6]);
    await session.release();
  });

  it('reads back what it wrote', () => {
    const model: OnnxModel = {
      ...aModel(),
      nodes: [
        {
          operator: 'Made',
          domain: 'org.example',
          name: 'made',
          inputs: ['x', ''],
          outputs: ['y'],
          attributes: {
            whole: 3,
            part: { float: 0.5 },
            text: 'SAME_UPPER',
            list: [1, -2, 3],
            parts: { floats: [0.25] },
            value: { tensor: aModel().initializers[0] as never },
          },
        },
      ],
      inputs: [{ name: 'x', type: 'uint8', dims: ['batch', 3] }],
    };
    const read = decodeOnnx(encodeOnnx(model));
    expect(asPlain(read)).toEqual(asPlain(model));
  });

  it('gives the same bytes for the same calls', () => {
    expect(Buffer.compare(encodeOnnx(aModel()), encodeOnnx(aModel()))).toBe(0);
  });

  it('names what it cannot read in a file of random bytes, and never crashes', () => {
    const good = encodeOnnx(aModel());
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = good.slice(0, length);
          for (const [at, value] of changes) bytes[at] = value;
          try {
            decodeOnnx(bytes);
          } catch (error) {
            expect(isShoalError(error, 'model.import')).toBe(true);
          }
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('has a schema that was generated from the present onnx.proto', async () => {
    const generated = await readFile(new URL('../../src/onnx-format/generated/schema.ts', import.meta.url), 'utf8');
    expect(generated).toBe(await onnxDescriptor());
  });
});

describe('the graph builder', () => {
  it('leaves out nodes and constants that no output needs', () => {
    const model = aModel();
    expect(model.nodes.map((node) => node.operator)).toEqual(['Add', 'Clip', 'Identity']);
    expect(model.initializers.map((constant) => constant.name)).toEqual(['one', 'zero', 'six']);
  });

  it('refuses two different constants of one name', () => {
    const graph = new OnnxGraphBuilder();
    graph.constant('weights', [2], Int8Array.of(1, 2));
    expect(graph.constant('weights', [2], Int8Array.of(1, 2))).toBe('weights');
    expect(() => graph.constant('weights', [2], Int8Array.of(2, 1))).toThrow(
      'two different constants are called weights',
    );
  });
});

/** Buffers and plain byte arrays are not equal for the test runner; their bytes are what counts. */
function asPlain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(asPlain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, asPlain(inner)]));
}
