import { canonicalJson, roleOf, ShoalError } from '@shoal/protocol';
import type { TaskSpec } from '../domain/index.ts';
import { type ModelIndex, parametersJson, type ResolvedPipeline, resolvePipeline } from '../pipelines/index.ts';
import { checkLabels } from '../registry/index.ts';

const longestDeadlineMs = 30 * 86_400_000;
const mostAttempts = 10;
const longestKey = 200;

/** @throws `input.invalid` that names the field, `model.unknown`. */
export function checkSpec(spec: TaskSpec, models: ModelIndex): ResolvedPipeline {
  const resolved = resolvePipeline(spec, models);
  const { pipeline } = resolved;
  if (pipeline.onlyCameras)
    throw invalid('pipeline', `${pipeline.name} is for cameras; a single picture can be analysed with detect`);
  if (pipeline.takesInput && !spec.input) throw invalid('input', `the pipeline ${pipeline.name} needs an input`);
  if (!pipeline.takesInput && spec.input) throw invalid('input', `the pipeline ${pipeline.name} takes no input`);
  if (!Number.isInteger(spec.deadlineMs) || spec.deadlineMs < 1 || spec.deadlineMs > longestDeadlineMs) {
    throw invalid('deadlineMs', `a whole number of ms from 1 to ${longestDeadlineMs}`);
  }
  if (!Number.isInteger(spec.maxAttempts) || spec.maxAttempts < 1 || spec.maxAttempts > mostAttempts) {
    throw invalid('maxAttempts', `a whole number from 1 to ${mostAttempts}`);
  }
  if (spec.device !== undefined && roleOf(spec.device) !== 'device') throw invalid('device', 'not the id of a device');
  checkLabels(spec.labels);
  parametersJson(spec.parameters);
  return resolved;
}

/** @throws `input.invalid` */
export function checkKey(key: string): void {
  if (!/^[\x21-\x7e]+$/.test(key) || key.length > longestKey) {
    throw invalid('idempotencyKey', `1 to ${longestKey} visible ASCII characters`);
  }
}

/** Whether two submissions ask for the same. */
export function sameSpec(a: TaskSpec, b: TaskSpec): boolean {
  // What the store gave back has no undefined members; neither does canonical JSON.
  try {
    return canonicalJson(a) === canonicalJson(b);
  } catch {
    // One of them has not been checked, and is nothing that JSON can say: the other was checked once.
    return false;
  }
}

function invalid(field: string, why: string): ShoalError {
  return new ShoalError('input.invalid', `${field}: ${why}`, { field });
}
