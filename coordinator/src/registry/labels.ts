import { ShoalError } from '@shoal/protocol';

const mostLabels = 32;
const nameShape = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;
const longestValue = 128;

/** @throws `input.invalid` that names what is wrong. */
export function checkLabels(labels: { readonly [name: string]: string }, field = 'labels'): void {
  const entries = Object.entries(labels);
  if (entries.length > mostLabels) throw invalid(field, `at most ${mostLabels} labels, not ${entries.length}`);
  for (const [name, value] of entries) {
    if (!nameShape.test(name))
      throw invalid(
        field,
        `${JSON.stringify(name.slice(0, 64))} is not a label name: up to 63 letters, digits, . _ / -`,
      );
    if (typeof value !== 'string' || value.length > longestValue) {
      throw invalid(field, `the value of ${name} must be a text of at most ${longestValue} characters`);
    }
  }
}

/** @throws `input.invalid` */
export function checkName(name: string, field = 'name'): void {
  if (name.trim().length === 0 || name.length > 100 || /\p{Cc}/u.test(name)) {
    throw invalid(field, '1 to 100 printable characters');
  }
}

function invalid(field: string, why: string): ShoalError {
  return new ShoalError('input.invalid', `${field}: ${why}`, { field });
}
