import { ShoalError } from '@shoal/protocol';
import type { OnnxAttribute, OnnxElementType, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from './model.ts';

export type TensorData = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

/** Builds a graph node by node. Names are counted, so the same calls give the same model. */
export class OnnxGraphBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #constants = new Map<string, OnnxTensor>();
  readonly #inputs: OnnxValue[] = [];
  readonly #outputs: OnnxValue[] = [];
  #count = 0;

  input(name: string, type: OnnxElementType, dims: readonly number[]): string {
    this.#inputs.push({ name, type, dims });
    return name;
  }

  /** Makes `value` an output of the graph under the name `name`. */
  output(name: string, type: OnnxElementType, dims: readonly number[], value: string): void {
    this.#nodes.push({
      operator: 'Identity',
      domain: '',
      name: `${name}_out`,
      inputs: [value],
      outputs: [name],
      attributes: {},
    });
    this.#outputs.push({ name, type, dims });
  }

  /**
   * A constant tensor. Asking again for the same name with the same bytes gives the same tensor; with other bytes it is a
   * defect of the caller (a constant that is used in two layouts needs two names).
   */
  constant(name: string, dims: readonly number[], elements: TensorData): string {
    const data = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
    const known = this.#constants.get(name);
    if (!known) this.#constants.set(name, { name, type: elementTypeOf(elements), dims, data });
    else if (known.dims.join() !== dims.join() || Buffer.compare(known.data, data) !== 0) {
      throw new ShoalError('defect', `two different constants are called ${name}`, { name });
    }
    return name;
  }

  /** A constant list of whole numbers: a shape, the counts of a padding ... */
  integers(name: string, values: readonly number[]): string {
    return this.constant(name, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** Adds a node with one output and returns the output's name. An empty input name leaves an optional input out. */
  node(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): string {
    const output = `${operator}_${this.#count++}`;
    this.#nodes.push({ operator, domain: '', name: `${output}_node`, inputs, outputs: [output], attributes });
    return output;
  }

  /** The model, without the nodes and constants that no output needs: runtimes would compute them all the same. */
  build(about: Pick<OnnxModel, 'producer' | 'opsets' | 'metadata'>): OnnxModel {
    const needed = new Set(this.#outputs.map((output) => output.name));
    const alive = this.#nodes.toReversed().filter((node) => {
      if (!node.outputs.some((name) => needed.has(name))) return false;
      for (const name of node.inputs) needed.add(name);
      return true;
    });
    return {
      ...about,
      nodes: alive.reverse(),
      initializers: [...this.#constants.values()].filter((constant) => needed.has(constant.name)),
      inputs: this.#inputs,
      outputs: this.#outputs,
    };
  }
}

function elementTypeOf(elements: TensorData): OnnxElementType {
  if (elements instanceof Float32Array) return 'float32';
  if (elements instanceof Uint8Array) return 'uint8';
  if (elements instanceof Int8Array) return 'int8';
  if (elements instanceof Int32Array) return 'int32';
  return 'int64';
}
