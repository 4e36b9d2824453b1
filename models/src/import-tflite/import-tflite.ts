import { ShoalError } from '@shoal/protocol';
import { encodeOnnx } from '../onnx-format/index.ts';
import { dequantized } from './constants.ts';
import { type ByteQuantization, ImportContext, type ImportPrecision } from './import-context.ts';
import { operatorConverters } from './operators/index.ts';
import { readTflite, type TfliteModel, type TfliteOperator } from './tflite-model.ts';

export interface ImportedModel {
  /** The ONNX file; the same for the same TFLite file and precision, on every machine. */
  readonly onnx: Uint8Array;
  readonly outputs: readonly ImportedOutput[];
  /** Of a detector that ended in TFLite_Detection_PostProcess: float32 [N,4], `cy, cx, height, width` as fractions of the input. */
  readonly anchors?: Float32Array;
}

export interface ImportedOutput {
  readonly name: string;
  /** As TFLite has it; pictures are NHWC. */
  readonly shape: readonly number[];
  /** Left out for `float32` outputs. */
  readonly quantization?: ByteQuantization;
}

/** The operator set of the graph: DequantizeLinear per axis came with 13, ReduceMean has its axes as attribute until 18. */
const opset = 17;

const postProcess = 'TFLite_Detection_PostProcess';

/**
 * Converts a TFLite file to ONNX.
 *
 * - Inputs keep their shapes (NHWC) and are called `input` (`input_0` ... when there are several); quantized ones are `uint8`.
 * - A detector is cut before TFLite_Detection_PostProcess: its outputs are `boxes` [1,N,4] and `logits` [1,N,classes].
 * - The output of another model is called `scores` (`output_0` ... when there are several).
 * - Outputs are `uint8` with `precision: 'int8'`, `float32` with `'float32'`.
 *
 * @throws `model.import` when the file is corrupt, not quantized though `int8` is wanted, or uses an operator that is not known.
 */
export function importTflite(bytes: Uint8Array, precision: ImportPrecision): ImportedModel {
  const model = readTflite(bytes);
  const context = new ImportContext(model, precision);
  defineInputs(context);
  const end = model.operators.findIndex((operator) => operator.name === postProcess);
  for (const operator of end < 0 ? model.operators : model.operators.slice(0, end)) convert(operator, context);
  const head = model.operators[end];
  const outputs = head ? detectionOutputs(context, head) : plainOutputs(context);
  const metadata = Object.fromEntries(outputs.flatMap(quantizationMetadata));
  const onnx = encodeOnnx(context.graph.build({ producer: 'shoal', opsets: { '': opset }, metadata }));
  return { onnx, outputs, ...(head ? { anchors: anchorsOf(context, head) } : {}) };
}

function defineInputs(context: ImportContext): void {
  const { inputs } = context.model;
  for (const [position, index] of inputs.entries()) {
    const tensor = context.tensor(index);
    const name = inputs.length === 1 ? 'input' : `input_${position}`;
    if (tensor.type === 'float32') context.define(index, context.graph.input(name, 'float32', tensor.shape), 'last');
    else if (tensor.quantization && (tensor.type === 'uint8' || tensor.type === 'int8')) {
      context.defineInputBytes(index, context.graph.input(name, 'uint8', tensor.shape));
    } else
      throw new ShoalError(
        'model.import',
        `input ${tensor.name} is of type ${tensor.type}, which is not known for inputs`,
      );
  }
}

function convert(operator: TfliteOperator, context: ImportContext): void {
  const converter = operatorConverters.get(operator.name);
  if (!converter) throw context.fail(operator, 'is an operator that the importer does not know');
  converter(operator, context);
}

/** Boxes, and the class scores as they were before the sigmoid: a threshold on logits needs no sigmoid for the rest. */
function detectionOutputs(context: ImportContext, head: TfliteOperator): ImportedOutput[] {
  const boxes = upstream(context.model, head.inputs[0], ['DEQUANTIZE']);
  const scores = upstream(context.model, head.inputs[1], ['DEQUANTIZE']);
  const logits = upstream(context.model, scores, ['LOGISTIC', 'QUANTIZE', 'DEQUANTIZE']);
  if (logits === scores)
    throw context.fail(head, 'has scores that do not come from LOGISTIC, so its logits are not known');
  return [emit(context, boxes, 'boxes'), emit(context, logits, 'logits')];
}

function plainOutputs(context: ImportContext): ImportedOutput[] {
  const { outputs } = context.model;
  return outputs.map((index, position) => emit(context, index, outputs.length === 1 ? 'scores' : `output_${position}`));
}

function emit(context: ImportContext, index: number | undefined, name: string): ImportedOutput {
  const { shape } = context.tensor(index);
  if (context.precision === 'float32') {
    context.graph.output(name, 'float32', shape, context.float(index, 'last'));
    return { name, shape };
  }
  const bytes = context.bytes(index, 'last');
  context.graph.output(name, 'uint8', shape, bytes.name);
  return { name, shape, quantization: bytes.quantization };
}

/** Goes back over operators of these names, each at most once. */
function upstream(model: TfliteModel, index: number | undefined, names: readonly string[]): number | undefined {
  const producer = model.operators.find((operator) => index !== undefined && operator.outputs.includes(index));
  if (!producer || !names.includes(producer.name)) return index;
  const rest = names.filter((name) => name !== producer.name);
  return upstream(model, producer.inputs[0], rest);
}

function anchorsOf(context: ImportContext, head: TfliteOperator): Float32Array {
  const anchors = context.constantAt(head.inputs[2]);
  if (!anchors) throw context.fail(head, 'has anchors that are not a constant');
  return dequantized(anchors);
}

/** So that the file alone says how its bytes are read. */
function quantizationMetadata({ name, quantization }: ImportedOutput): [string, string][] {
  if (!quantization) return [];
  return [
    [`${name}.scale`, String(quantization.scale)],
    [`${name}.zero_point`, String(quantization.zeroPoint)],
  ];
}
