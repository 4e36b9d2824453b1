import { canonicalJson, type Json, ShoalError } from '@shoal/protocol';

const longestJson = 16 << 10;
/** What is made of them, a statement for one, is a few levels deeper, and JSON of too many levels is refused everywhere. */
const mostLevels = 32;

/** The parameters of a pipeline as they travel; empty for none. @throws `input.invalid` */
export function parametersJson(parameters: { readonly [name: string]: Json }): string {
  for (const _ in parameters) {
    if (isDeeper(parameters, mostLevels)) throw invalid(`at most ${mostLevels} levels of JSON`);
    const json = canonicalParameters(parameters);
    if (json.length > longestJson) throw invalid(`at most ${longestJson} characters of JSON`);
    return json;
  }
  return '';
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

function canonicalParameters(parameters: { readonly [name: string]: Json }): string {
  try {
    return canonicalJson(parameters);
  } catch {
    throw invalid('must be what JSON can say');
  }
}

function invalid(why: string): ShoalError {
  return new ShoalError('input.invalid', `parameters: ${why}`, { field: 'parameters' });
}
