import type { InferenceParameters } from '@shoal/models';
import { type Json, ShoalError } from '@shoal/protocol';

/** Parameters as they were given, for the attestation, and those of them that an engine understands. */
export interface WorkParameters {
  readonly given: { readonly [name: string]: Json };
  readonly inference: InferenceParameters;
}

const longestJson = 64 * 1024;

/** @throws `input.invalid` naming the parameter */
export function parseParameters(json: string): WorkParameters {
  if (json === '') return { given: {}, inference: {} };
  const given = parseObject(json);
  return {
    given,
    inference: {
      ...numberIn(given, 'minScore', (value) => value >= 0 && value <= 1, 'a number between 0 and 1'),
      ...numberIn(
        given,
        'maxResults',
        (value) => Number.isInteger(value) && value >= 1,
        'a whole number of at least 1',
      ),
    },
  };
}

function parseObject(json: string): { readonly [name: string]: Json } {
  let parsed: unknown;
  try {
    if (json.length <= longestJson) parsed = JSON.parse(json);
  } catch {
    // Refused below, with the others that are no object.
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ShoalError('input.invalid', 'the parameters must be a JSON object', { field: 'parameters' });
  }
  return parsed as { readonly [name: string]: Json };
}

function numberIn<Name extends string>(
  given: { readonly [name: string]: Json },
  name: Name,
  fits: (value: number) => boolean,
  form: string,
): { readonly [key in Name]?: number } {
  const value = given[name];
  if (value === undefined) return {};
  if (typeof value !== 'number' || !fits(value)) {
    throw new ShoalError('input.invalid', `parameter ${name} must be ${form}`, { field: name });
  }
  return { [name]: value } as { readonly [key in Name]: number };
}
