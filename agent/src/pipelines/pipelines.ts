import { classify } from './classify.ts';
import { detect } from './detect.ts';
import { noop } from './noop.ts';
import type { Pipeline } from './pipeline.ts';
import { watch } from './watch.ts';

const pipelines: ReadonlyMap<string, Pipeline> = new Map([noop, detect, classify, watch].map((one) => [one.name, one]));

export function findPipeline(name: string): Pipeline | undefined {
  return pipelines.get(name);
}
