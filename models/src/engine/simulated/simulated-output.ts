import { seededRandom } from '@shoal/protocol';
import type { ModelManifest } from '../../manifest/index.ts';
import { type InferenceParameters, type ModelFrame, type ModelOutput, unpackOutput } from '../../stages/index.ts';
import type { LoadableModel } from '../engine.ts';

const mostFindings = 5;

/** Left and top in pixels of the model's input. */
interface Finding {
  readonly classIndex: number;
  readonly score: number;
  readonly left: number;
  readonly top: number;
}

/** Something to find: the same for the same model and pixels, and within what the parameters allow. */
export function simulatedOutput(model: LoadableModel, frame: ModelFrame, parameters: InferenceParameters): ModelOutput {
  const { manifest, variant } = model;
  const { head, input } = manifest;
  const random = seededRandom(hash(frame.pixels, Number.parseInt(variant.sha256.slice(0, 8), 16)));
  const reported = reportedClasses(manifest);
  const [leastScore, limit] =
    head.kind === 'anchor-detection' ? [head.defaultScore, head.nms.maxDetections] : [0, head.topK];
  const { minScore = leastScore, maxResults = limit } = parameters;
  const findings: Finding[] = [];
  for (let number = 0; number < mostFindings; number++) {
    const classIndex = reported[Math.floor(random.next() * reported.length)] ?? 0;
    const score = random.next();
    const left = random.next() * input.width * 0.8;
    const top = random.next() * input.height * 0.8;
    if (score >= minScore) findings.push({ classIndex, score, left, top });
  }
  findings.sort((a, b) => b.score - a.score);
  const rows: number[] = [];
  for (const { classIndex, score, left, top } of findings.slice(0, maxResults)) {
    rows.push(classIndex, score);
    if (head.kind === 'anchor-detection') rows.push(left, top, left + input.width * 0.2, top + input.height * 0.2);
  }
  return unpackOutput(manifest, new Float32Array(rows), frame.placement);
}

const reportedClassesOf = new WeakMap<ModelManifest, readonly number[]>();

/** Classes with a label. */
function reportedClasses(manifest: ModelManifest): readonly number[] {
  let classes = reportedClassesOf.get(manifest);
  if (!classes) {
    classes = manifest.labels.flatMap((label, classIndex) => (label === '' ? [] : [classIndex]));
    reportedClassesOf.set(manifest, classes);
  }
  return classes;
}

/** FNV-1a over every 16th byte: enough to tell pictures apart, and cheap for thousands of simulated devices. */
function hash(pixels: Uint8Array, seed: number): number {
  let value = 0x811c9dc5 ^ seed;
  for (let i = 0; i < pixels.length; i += 16) value = Math.imul(value ^ (pixels[i] as number), 0x01000193);
  return value >>> 0;
}
