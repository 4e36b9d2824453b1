import { canonicalJson, roleOf, ShoalError, schemeOfSource, sourceSchemes } from '@shoal/protocol';
import type { CameraSpec } from '../domain/index.ts';
import { type ModelIndex, type ResolvedPipeline, resolvePipeline } from '../pipelines/index.ts';
import { checkLabels, checkName } from '../registry/index.ts';

const longestSource = 2_000;
const longestParameters = 16 << 10;
const mostFps = 120;

/** @throws `input.invalid` that names the field, `model.unknown`. */
export function checkCamera(spec: CameraSpec, models: ModelIndex): ResolvedPipeline {
  const resolved = resolvePipeline(spec, models);
  if (!resolved.pipeline.forCameras) throw invalid('pipeline', `a camera cannot run ${resolved.pipeline.name}`);
  checkName(spec.name);
  // The source may carry a password: it is never repeated in a message.
  if (spec.source.trim() === '' || spec.source.length > longestSource || /\p{Cc}/u.test(spec.source)) {
    throw invalid('source', `a URL or a path, at most ${longestSource} characters`);
  }
  const scheme = schemeOfSource(spec.source);
  if (!sourceSchemes.has(scheme)) {
    const known = [...sourceSchemes].filter((one) => one !== 'file').map((one) => `${one}://`);
    throw invalid('source', `a camera is read from ${known.join(', ')} or a file, not from ${scheme.slice(0, 32)}:`);
  }
  if (!(spec.targetFps > 0 && spec.targetFps <= mostFps)) throw invalid('targetFps', `more than 0, at most ${mostFps}`);
  if (spec.device !== undefined && roleOf(spec.device) !== 'device') throw invalid('device', 'not the id of a device');
  checkLabels(spec.labels);
  if (canonicalJson(spec.parameters).length > longestParameters) {
    throw invalid('parameters', `at most ${longestParameters} characters of JSON`);
  }
  return resolved;
}

function invalid(field: string, why: string): ShoalError {
  return new ShoalError('input.invalid', `${field}: ${why}`, { field });
}
