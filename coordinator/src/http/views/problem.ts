import { type ErrorCode, errorCatalogue } from '@shoal/protocol';
import { type Static, Type } from 'typebox';
import { named } from './schema.ts';

export const problemMediaType = 'application/problem+json';

export const Problem = named(
  'Problem',
  Type.Object(
    {
      type: Type.String({ description: '`urn:shoal:error:` and the code. Compare this, never the texts.' }),
      title: Type.String({ description: 'What the code means, always the same.' }),
      status: Type.Integer({ minimum: 400, maximum: 599 }),
      detail: Type.String({ description: 'What is wrong here, and what to do about it.' }),
      instance: Type.String({ description: 'Path of the request.' }),
      code: Type.String({ description: 'Code of the error catalogue, docs/errors.md.' }),
      retryable: Type.Boolean({ description: 'Whether the same request may succeed later without being changed.' }),
      facts: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), {
          description: 'The same for programs: for example `field`, `limit`.',
        }),
      ),
    },
    { description: 'A problem, RFC 9457.' },
  ),
);
export type Problem = Static<typeof Problem.definition>;

export const problemType = (code: ErrorCode): string => `urn:shoal:error:${code}`;

/** The `response` entries of a route for the errors it can answer with, beside those that every route can. */
export function problems(...codes: readonly ErrorCode[]) {
  const byStatus = Map.groupBy(new Set<ErrorCode>([...everywhere, ...codes]), (code) => errorCatalogue[code].http);
  const responses = [...byStatus].map(([status, ofStatus]) => [
    status,
    {
      description: ofStatus.map((code) => `\`${problemType(code)}\`: ${errorCatalogue[code].title}`).join('\n\n'),
      content: { [problemMediaType]: { schema: Problem.ref } },
    },
  ]);
  return Object.fromEntries(responses) as Record<number, object>;
}

/** What any route may answer: a wrong query, no key, a request from elsewhere, shutting down, a defect. */
const everywhere: readonly ErrorCode[] = ['input.invalid', 'auth.missing', 'auth.forbidden', 'closed', 'defect'];
