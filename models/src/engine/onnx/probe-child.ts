import ort from 'onnxruntime-node';
import { encodeOnnx, OnnxGraphBuilder } from '../../onnx-format/index.ts';
import type { ProbeReport } from './probe.ts';

// The entry of the probe process: prints a ProbeReport, or dies.

const size = 8;
const channels = 16;

/** A quantized convolution and a float one: the kernels that detectors spend their time in, and that are picked by processor. */
function probeModel(): Uint8Array {
  const graph = new OnnxGraphBuilder();
  const scale = graph.constant('scale', [], new Float32Array([0.1]));
  const zero = graph.constant('zero', [], new Uint8Array([128]));
  const weightZero = graph.constant('weight_zero', [], new Int8Array([0]));
  const weights = graph.constant('weights', [channels, channels, 3, 3], new Int8Array(channels * channels * 9).fill(3));
  const floats = graph.constant(
    'floats',
    [channels, channels, 3, 3],
    new Float32Array(channels * channels * 9).fill(0.01),
  );
  const input = graph.input('input', 'uint8', [1, channels, size, size]);
  const quantized = graph.node('QLinearConv', [input, scale, zero, weights, scale, weightZero, scale, zero], {
    pads: [1, 1, 1, 1],
  });
  const real = graph.node('DequantizeLinear', [quantized, scale, zero]);
  graph.output(
    'output',
    'float32',
    [1, channels, size, size],
    graph.node('Conv', [real, floats], { pads: [1, 1, 1, 1] }),
  );
  return encodeOnnx(graph.build({ producer: 'shoal probe', opsets: { '': 17 }, metadata: {} }));
}

const session = await ort.InferenceSession.create(probeModel(), { executionProviders: ['cpu'], intraOpNumThreads: 1 });
const pixels = new ort.Tensor('uint8', new Uint8Array(channels * size * size).fill(200), [1, channels, size, size]);
const { output } = await session.run({ input: pixels });
if (!(output?.data instanceof Float32Array) || !output.data.every(Number.isFinite))
  throw new Error('error: the probe model gave no numbers');
const report: ProbeReport = { version: ort.env.versions.node ?? ort.env.versions.common, providers: ['cpu'] };
process.stdout.write(JSON.stringify(report));
