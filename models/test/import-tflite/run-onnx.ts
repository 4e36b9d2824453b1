import { InferenceSession, Tensor } from 'onnxruntime-node';
import { decodeOnnx } from '../../src/onnx-format/index.ts';

/** Runs an imported model with one input in ONNX Runtime: the elements of each output, by name. */
export async function runOnnx(onnx: Uint8Array, elements: ArrayLike<number>): Promise<Record<string, number[]>> {
  const [input] = decodeOnnx(onnx).inputs;
  const dims = (input?.dims ?? []).map(Number);
  const tensor =
    input?.type === 'uint8'
      ? new Tensor('uint8', Uint8Array.from(elements), dims)
      : new Tensor('float32', Float32Array.from(elements), dims);
  const session = await InferenceSession.create(onnx, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const outputs = await session.run({ [input?.name ?? '']: tensor });
    return Object.fromEntries(
      Object.entries(outputs).map(([name, output]) => [name, Array.from(output.data as Uint8Array | Float32Array)]),
    );
  } finally {
    await session.release();
  }
}

export function operatorsOf(onnx: Uint8Array): string[] {
  return decodeOnnx(onnx).nodes.map((node) => node.operator);
}
