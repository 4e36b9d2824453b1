import { ShoalError } from '@shoal/protocol';
import protobuf from 'protobufjs/light.js';
import { onnxDescriptor } from './generated/schema.ts';
import {
  type OnnxAttribute,
  type OnnxElementType,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  onnxElementTypes,
} from './model.ts';
import type { AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from './wire.ts';
import { attributeKinds } from './wire.ts';

/** IR version 8 belongs to operator sets 15 to 18. */
const irVersion = 8;

const modelType = protobuf.Root.fromJSON(onnxDescriptor).lookupType('onnx.ModelProto');

/** The bytes of an `.onnx` file. The same model gives the same bytes everywhere. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const message: ModelProto = {
    irVersion,
    producerName: model.producer,
    opsetImport: Object.entries(model.opsets).map(([domain, version]) => ({ domain, version })),
    metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'graph',
      node: model.nodes.map(nodeMessage),
      initializer: model.initializers.map(tensorMessage),
      input: model.inputs.map(valueMessage),
      output: model.outputs.map(valueMessage),
    },
  };
  return modelType.encode(message).finish();
}

/**
 * Reads an `.onnx` file. Tensor data is a view of `bytes` where the file allows it.
 * @throws `model.import` when the bytes are not an ONNX model or use a feature that is not read here, which it names.
 */
export function decodeOnnx(bytes: Uint8Array): OnnxModel {
  const message = parse(bytes);
  const graph = message.graph;
  if (!graph) throw new ShoalError('model.import', 'the ONNX file holds no graph');
  return {
    producer: message.producerName ?? '',
    opsets: Object.fromEntries((message.opsetImport ?? []).map(({ domain, version }) => [domain ?? '', version ?? 0])),
    metadata: Object.fromEntries((message.metadataProps ?? []).map(({ key, value }) => [key ?? '', value ?? ''])),
    nodes: (graph.node ?? []).map(nodeOf),
    initializers: (graph.initializer ?? []).map(tensorOf),
    inputs: (graph.input ?? []).map(valueInfoOf),
    outputs: (graph.output ?? []).map(valueInfoOf),
  };
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return modelType.toObject(modelType.decode(bytes), { longs: Number });
  } catch (cause) {
    throw new ShoalError('model.import', 'the file is not an ONNX model, or it was cut short', {}, { cause });
  }
}

function nodeMessage(node: OnnxNode): NodeProto {
  return {
    input: [...node.inputs],
    output: [...node.outputs],
    name: node.name,
    opType: node.operator,
    attribute: Object.entries(node.attributes).map(([name, value]) => ({ name, ...attributeMessage(value) })),
    ...(node.domain === '' ? {} : { domain: node.domain }),
  };
}

function attributeMessage(value: OnnxAttribute): AttributeProto {
  if (typeof value === 'number') return { type: attributeKinds.int, i: value };
  if (typeof value === 'string') return { type: attributeKinds.string, s: new TextEncoder().encode(value) };
  if ('float' in value) return { type: attributeKinds.float, f: value.float };
  if ('floats' in value) return { type: attributeKinds.floats, floats: [...value.floats] };
  if ('tensor' in value) return { type: attributeKinds.tensor, t: tensorMessage(value.tensor) };
  return { type: attributeKinds.ints, ints: [...value] };
}

function tensorMessage(tensor: OnnxTensor): TensorProto {
  return { dims: [...tensor.dims], dataType: onnxElementTypes[tensor.type], name: tensor.name, rawData: tensor.data };
}

function valueMessage(value: OnnxValue): ValueInfoProto {
  const dim = value.dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name: value.name, type: { tensorType: { elemType: onnxElementTypes[value.type], shape: { dim } } } };
}

function nodeOf(node: NodeProto): OnnxNode {
  const attributes = (node.attribute ?? []).map(
    (attribute) => [attribute.name ?? '', attributeOf(attribute, node)] as const,
  );
  return {
    operator: node.opType ?? '',
    domain: node.domain ?? '',
    name: node.name ?? '',
    inputs: node.input ?? [],
    outputs: node.output ?? [],
    attributes: Object.fromEntries(attributes),
  };
}

function attributeOf(attribute: AttributeProto, node: NodeProto): OnnxAttribute {
  switch (attribute.type) {
    case attributeKinds.int:
      return attribute.i ?? 0;
    case attributeKinds.float:
      return { float: attribute.f ?? 0 };
    case attributeKinds.string:
      return new TextDecoder().decode(attribute.s);
    case attributeKinds.ints:
      return attribute.ints ?? [];
    case attributeKinds.floats:
      return { floats: attribute.floats ?? [] };
    case attributeKinds.tensor:
      return { tensor: tensorOf(attribute.t ?? {}) };
    default:
      throw new ShoalError(
        'model.import',
        `attribute ${attribute.name} of ${node.opType} ${node.name} is of a kind that is not read`,
        {
          operator: node.opType ?? '',
          kind: attribute.type ?? 0,
        },
      );
  }
}

function tensorOf(tensor: TensorProto): OnnxTensor {
  const name = tensor.name ?? '';
  return { name, type: elementType(tensor.dataType, name), dims: tensor.dims ?? [], data: tensorBytes(tensor) };
}

/** ONNX allows the elements in a typed list instead of raw bytes. */
function tensorBytes(tensor: TensorProto): Uint8Array {
  if (tensor.floatData?.length) return bytesOf(Float32Array.from(tensor.floatData));
  if (tensor.int64Data?.length) return bytesOf(BigInt64Array.from(tensor.int64Data, BigInt));
  if (tensor.int32Data?.length) {
    const type = elementType(tensor.dataType, tensor.name ?? '');
    if (type === 'int32') return bytesOf(Int32Array.from(tensor.int32Data));
    if (type === 'float16') return bytesOf(Uint16Array.from(tensor.int32Data));
    return Uint8Array.from(tensor.int32Data);
  }
  return tensor.rawData ?? new Uint8Array();
}

function bytesOf(array: Float32Array | BigInt64Array | Int32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function valueInfoOf(value: ValueInfoProto): OnnxValue {
  const name = value.name ?? '';
  const tensor = value.type?.tensorType;
  const dims = (tensor?.shape?.dim ?? []).map((dim) => dim.dimValue ?? dim.dimParam ?? '');
  return { name, type: elementType(tensor?.elemType, name), dims };
}

const typeOfNumber = new Map(
  Object.entries(onnxElementTypes).map(([type, number]) => [number as number, type as OnnxElementType]),
);

function elementType(number: number | undefined, name: string): OnnxElementType {
  const type = typeOfNumber.get(number ?? 0);
  if (!type)
    throw new ShoalError('model.import', `${name} has the element type ${number}, which is not read`, { tensor: name });
  return type;
}
