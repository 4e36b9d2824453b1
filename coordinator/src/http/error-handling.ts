import { asShoalError, type ErrorCode, type Logger, ShoalError } from '@shoal/protocol';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, problemMediaType, problemType } from './views/index.ts';

/** Answers with a problem (RFC 9457) for anything that was thrown. What is our own defect is logged whole and told in one sentence. */
export function sendProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const error = toShoalError(thrown);
  if (error.kind.http >= 500 && error.code !== 'closed') {
    const fields = { method: request.method, route: request.routeOptions.url ?? 'unknown', code: error.code };
    logger.error('request failed', { ...fields, error: error.message, stack: causeOf(error) });
  }
  const problem = toProblem(error, pathOf(request.url));
  if (error.retryable) reply.header('retry-after', '1');
  if (error.code === 'auth.missing') reply.header('www-authenticate', 'Bearer realm="shoal"');
  return reply.code(problem.status).type(problemMediaType).serializer(JSON.stringify).send(problem);
}

/** A path that nothing answers to: says where to look. */
export function notFound(request: FastifyRequest): ShoalError {
  return new ShoalError('not-found', `${request.method} ${pathOf(request.url)} is not part of this API; see /docs`);
}

export function toProblem(error: ShoalError, instance: string): Problem {
  const { code, kind, facts } = error;
  return {
    type: problemType(code),
    title: kind.title,
    status: kind.http,
    detail:
      code === 'defect' ? 'The coordinator failed in a way that it should not. Its log says more.' : error.message,
    instance,
    code,
    retryable: kind.retryable,
    ...(Object.keys(facts).length > 0 && code !== 'defect' ? { facts } : {}),
  };
}

/** Everything that Fastify, its plugins or our own code throws, by the catalogue's codes. */
export function toShoalError(thrown: unknown): ShoalError {
  if (thrown instanceof ShoalError) return thrown;
  const { code = '', statusCode, validation, validationContext, message } = thrown as Partial<FastifyError>;
  if (validation) return invalidField(validation, validationContext ?? 'body');
  // The form parser's own words, which have no code.
  if (
    /unexpected end of (form|multipart)|malformed (part|urlencoded)|multipart: boundary not found/i.test(message ?? '')
  ) {
    return new ShoalError('input.corrupt', 'the form ends early or contradicts itself', {}, { cause: thrown });
  }
  const known = codeOfFrameworkError(code, statusCode);
  return known
    ? new ShoalError(known, message ?? 'the request cannot be read', {}, { cause: thrown })
    : asShoalError(thrown);
}

function codeOfFrameworkError(code: string, status: number | undefined): ErrorCode | undefined {
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' || code === 'FST_INVALID_MULTIPART_CONTENT_TYPE')
    return 'input.unsupported';
  if (code === 'FST_MP_PREMATURE_CLOSE') return 'input.corrupt';
  if (status === 413) return 'input.too-large';
  if (status === 404) return 'not-found';
  if (status === 503) return 'closed';
  return status !== undefined && status >= 400 && status < 500 ? 'input.invalid' : undefined;
}

type Validation = NonNullable<FastifyError['validation']>[number];

/** Names the field: `parameters/minScore must be number`. */
export function invalidField(errors: readonly Validation[], part: string): ShoalError {
  const [error] = errors;
  if (!error) return new ShoalError('input.invalid', `the ${part} is not valid`);
  const place = part === 'querystring' ? 'query' : part;
  const path = error.instancePath.slice(1);
  const params = error.params as {
    requiredProperties?: unknown;
    additionalProperties?: unknown;
    allowedValues?: unknown;
  };
  if (error.keyword === 'boolean') return invalid(path, `${place}: there is no field "${path}"`);
  if (Array.isArray(params.additionalProperties)) {
    const field = join(path, String(params.additionalProperties[0]));
    return invalid(field, `${place}: there is no field "${field}"`);
  }
  if (Array.isArray(params.requiredProperties)) {
    const field = join(path, String(params.requiredProperties[0]));
    return invalid(field, `${place}: the field "${field}" is missing`);
  }
  return invalid(path, path === '' ? `the ${place} ${error.message}` : `${place}: "${path}" ${error.message}`);
}

function invalid(field: string, message: string): ShoalError {
  return new ShoalError('input.invalid', message, field === '' ? {} : { field });
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}

function causeOf(error: ShoalError): string | undefined {
  const { cause } = error;
  return cause instanceof Error ? cause.stack : error.code === 'defect' ? error.stack : undefined;
}
