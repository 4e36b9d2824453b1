import { isShoalError, ShoalError } from '@shoal/protocol';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { authenticate, type Doors } from '../authentication.ts';
import type { Resource } from '../resource.ts';
import { problems } from '../views/index.ts';

const tags = ['session'];

/** Signing in with a browser: the key is shown once, and a cookie stands for it from then on. */
export const session: Resource =
  ({ doors, sessions }) =>
  async (api) => {
    api.post(
      '/v1/session',
      {
        schema: {
          tags,
          summary: 'Sign a browser in',
          description:
            'Answers with a cookie that stands for the API key of this request: `HttpOnly`, `SameSite=Strict`, good for 30 days, or 12 hours without a request.',
          operationId: 'openSession',
          response: { 204: Type.Null({ description: 'Signed in.' }), ...problems('input.invalid') },
        },
      },
      async (request, reply) => {
        const letIn = authenticate(request, doors);
        if (letIn.by !== 'key')
          throw new ShoalError('input.invalid', 'a session is opened with an API key in the header Authorization');
        return reply.code(204).header('set-cookie', sessions.open(letIn.owner)).send(null);
      },
    );

    api.get(
      '/v1/session',
      {
        schema: {
          tags,
          summary: 'By what this request is let in',
          description: 'Needs no key, so that a page can find out whether to ask for one.',
          security: [],
          operationId: 'getSession',
          response: {
            200: Type.Object({
              by: Type.Union(
                [Type.Literal('key'), Type.Literal('session'), Type.Literal('loopback'), Type.Literal('nothing')],
                {
                  description:
                    '`loopback`: the coordinator asks programs on its own machine for nothing. `nothing`: it is not let in.',
                },
              ),
            }),
            ...problems(),
          },
        },
      },
      async (request, reply) => reply.header('cache-control', 'no-store').send({ by: letInBy(request, doors) }),
    );

    api.delete(
      '/v1/session',
      {
        schema: {
          tags,
          summary: 'Sign this browser out',
          operationId: 'closeSession',
          response: { 204: Type.Null({ description: 'Signed out.' }), ...problems() },
        },
      },
      async (request, reply) => reply.code(204).header('set-cookie', sessions.close(request)).send(null),
    );
  };

function letInBy(request: FastifyRequest, doors: Doors): ReturnType<typeof authenticate>['by'] | 'nothing' {
  try {
    return authenticate(request, doors).by;
  } catch (error) {
    if (isShoalError(error, 'auth.missing')) return 'nothing';
    throw error;
  }
}
