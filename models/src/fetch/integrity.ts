import { ShoalError } from '@shoal/protocol';
import { digestOfFile } from '../cache/index.ts';

const algorithms = ['sha512', 'sha384', 'sha256'] as const;

/** The strongest digest of a Subresource Integrity string (W3C SRI §3.5): the others are not looked at. */
export interface Integrity {
  readonly algorithm: (typeof algorithms)[number];
  readonly base64: string;
}

/** @throws `input.invalid` when it holds no digest of a known algorithm. */
export function parseIntegrity(text: string): Integrity {
  const parts = text.trim().split(/\s+/);
  for (const algorithm of algorithms) {
    const part = parts.find((candidate) => candidate.startsWith(`${algorithm}-`));
    const base64 = part?.slice(algorithm.length + 1).split('?')[0];
    if (base64) return { algorithm, base64 };
  }
  throw new ShoalError('input.invalid', `the integrity ${text.slice(0, 100)} is not an SRI string such as sha512-...`, {
    field: 'integrity',
  });
}

/** @throws `model.digest` when the file's digest is another. */
export async function checkIntegrity(
  path: string,
  integrity: Integrity,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const base64 = await digestOfFile(path, integrity.algorithm, 'base64', signal);
  if (base64 === integrity.base64) return;
  throw new ShoalError(
    'model.digest',
    `${name} is not the package it should be: its ${integrity.algorithm} is ${base64}, not ${integrity.base64}. It was not kept`,
    { name },
  );
}
