import {
  parseMasks,
  parseSceneParameters,
  pushSource,
  roleOf,
  ShoalError,
  schemeOfSource,
  sourceSchemes,
} from '@shoal/protocol';
import { type CameraSpec, usualPriority } from '../domain/index.ts';
import { type ModelIndex, parametersJson, type ResolvedPipeline, resolvePipeline } from '../pipelines/index.ts';
import { checkLabels, checkName } from '../registry/index.ts';

const longestSource = 2_000;
const mostFps = 120;
const mostP95Ms = 3_600_000;
const highestPriority = 9;

/** @throws `input.invalid` that names the field, `model.unknown`. */
export function checkCamera(spec: CameraSpec, models: ModelIndex): ResolvedPipeline {
  const resolved = resolvePipeline(spec, models);
  if (!resolved.pipeline.forCameras) throw invalid('pipeline', `a camera cannot run ${resolved.pipeline.name}`);
  checkName(spec.name);
  checkSource('source', spec.source);
  if (spec.substream !== undefined) {
    if (spec.source === pushSource) throw invalid('substream', 'a camera that sends its pictures by itself has none');
    checkSource('substream', spec.substream);
  }
  if (!(spec.targetFps > 0 && spec.targetFps <= mostFps)) throw invalid('targetFps', `more than 0, at most ${mostFps}`);
  const { p95Ms = 1, priority = usualPriority } = spec;
  if (!(p95Ms > 0 && p95Ms <= mostP95Ms)) throw invalid('p95Ms', `more than 0 ms, at most ${mostP95Ms}`);
  if (!Number.isInteger(priority) || priority < 0 || priority > highestPriority)
    throw invalid('priority', `a whole number from 0 to ${highestPriority}`);
  if (spec.device !== undefined && roleOf(spec.device) !== 'device') throw invalid('device', 'not the id of a device');
  checkLabels(spec.labels);
  parametersJson(spec.parameters);
  if (spec.pipeline === 'watch') parseSceneParameters(spec.parameters);
  else parseMasks(spec.parameters);
  return resolved;
}

/** It may carry a password: it is never repeated in a message. */
function checkSource(field: string, source: string): void {
  if (source.trim() === '' || source.length > longestSource || /\p{Cc}/u.test(source))
    throw invalid(field, `a URL or a path, at most ${longestSource} characters`);
  if (source === pushSource && field === 'source') return;
  const scheme = schemeOfSource(source);
  if (sourceSchemes.has(scheme)) return;
  const known = [...sourceSchemes].filter((one) => one !== 'file').map((one) => `${one}://`);
  throw invalid(
    field,
    `a camera is read from ${known.join(', ')} or a file, or sends its pictures itself (${pushSource}), not from ${scheme.slice(0, 32)}:`,
  );
}

function invalid(field: string, why: string): ShoalError {
  return new ShoalError('input.invalid', `${field}: ${why}`, { field });
}
