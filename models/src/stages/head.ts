import type { ModelManifest, ModelVariant, TensorRef } from '../manifest/index.ts';
import { generateAnchors } from './anchors.ts';
import { classify, classStride } from './classification-head.ts';
import { createDetectionHead, type Edges } from './detection-head.ts';
import type { FramePlacement } from './model-frame.ts';
import type { Box, Detection, InferenceParameters, ModelOutput } from './model-output.ts';
import { boxStride } from './nms.ts';
import type { OutputTensor, Quantization } from './quantization.ts';

/** Turns the graph's outputs into a packed list that is small enough to cross threads: see `boxStride` and `classStride`. */
export interface Head {
  /** Names of the graph outputs, in the order that `decode` takes them. */
  readonly outputs: readonly string[];
  decode(
    tensors: readonly OutputTensor[],
    placement: FramePlacement,
    parameters: InferenceParameters,
  ): Float32Array<ArrayBuffer>;
}

/** The head that the manifest describes, for one variant of the model. */
export function createHead(manifest: ModelManifest, variant: ModelVariant): Head {
  const reported = manifest.labels.map((label) => label !== '');
  const { head } = manifest;
  switch (head.kind) {
    case 'anchor-detection': {
      const decode = createDetectionHead({
        nms: head.nms,
        anchors: generateAnchors(head.anchors, manifest.input.width, manifest.input.height),
        width: manifest.input.width,
        height: manifest.input.height,
        reported,
        boxQuantization: quantizationOf(head.boxes, variant),
        logitQuantization: quantizationOf(head.logits, variant),
      });
      return {
        outputs: [head.boxes.name, head.logits.name],
        decode: ([boxes, logits], placement, { minScore = head.defaultScore, maxResults = head.nms.maxDetections }) =>
          decode(present(boxes), present(logits), { minScore, maxDetections: maxResults, within: visible(placement) }),
      };
    }
    case 'classification': {
      const quantization = quantizationOf(head.scores, variant);
      return {
        outputs: [head.scores.name],
        decode: ([scores], _placement, { minScore = 0, maxResults = head.topK }) =>
          classify(present(scores), {
            activation: head.activation,
            quantization,
            reported,
            minScore,
            topK: maxResults,
          }),
      };
    }
  }
}

/** Where the source picture lies in the model's input. What is seen in the bars beside it is not there. */
function visible({ sourceWidth, sourceHeight, scaleX, scaleY, offsetX, offsetY }: FramePlacement): Edges {
  return {
    left: offsetX,
    top: offsetY,
    right: offsetX + sourceWidth * scaleX,
    bottom: offsetY + sourceHeight * scaleY,
  };
}

/** A packed list as the result that a caller sees: labels, and boxes in pixels of the source picture. */
export function unpackOutput(manifest: ModelManifest, packed: Float32Array, placement: FramePlacement): ModelOutput {
  const labelOf = (classIndex: number) => manifest.labels[classIndex] ?? '';
  switch (manifest.head.kind) {
    case 'anchor-detection': {
      const detections: Detection[] = [];
      for (let at = 0; at < packed.length; at += boxStride) {
        const box = inSource(packed, at + 2, placement);
        const classIndex = packed[at] ?? 0;
        if (box) detections.push({ label: labelOf(classIndex), classIndex, score: packed[at + 1] ?? 0, box });
      }
      return { kind: 'detections', detections };
    }
    case 'classification': {
      const classes = Array.from({ length: packed.length / classStride }, (_, i) => {
        const classIndex = packed[i * classStride] ?? 0;
        return { label: labelOf(classIndex), classIndex, score: packed[i * classStride + 1] ?? 0 };
      });
      return { kind: 'classes', classes };
    }
  }
}

/** A box of the model's input, in the source picture and clipped to it; `undefined` when nothing of it lies inside. */
function inSource(edges: Float32Array, at: number, placement: FramePlacement): Box | undefined {
  const [left, top, right, bottom] = [edges[at] ?? 0, edges[at + 1] ?? 0, edges[at + 2] ?? 0, edges[at + 3] ?? 0];
  const { sourceWidth, sourceHeight, scaleX, scaleY, offsetX, offsetY } = placement;
  const clip = (value: number, most: number) => Math.min(most, Math.max(0, value));
  const x = clip((left - offsetX) / scaleX, sourceWidth);
  const y = clip((top - offsetY) / scaleY, sourceHeight);
  const width = clip((right - offsetX) / scaleX, sourceWidth) - x;
  const height = clip((bottom - offsetY) / scaleY, sourceHeight) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

function quantizationOf(tensor: TensorRef, variant: ModelVariant): Quantization | undefined {
  return variant.outputs[tensor.name] ?? tensor.quantization;
}

function present(tensor: OutputTensor | undefined): OutputTensor {
  if (!tensor) throw new TypeError('the graph did not give an output that the manifest names');
  return tensor;
}
