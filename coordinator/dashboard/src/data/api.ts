/** A problem (RFC 9457) that the coordinator answered with, or that it could not be reached. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

interface CallOptions {
  readonly json?: unknown;
  readonly form?: FormData;
  /** An API key, when a session is opened. It is kept nowhere. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

let onSignedOut = () => {};

/** Who is told when the coordinator wants a key. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

/** Calls the REST API as anybody could. @throws {ApiError} */
export async function call<Answer = void>(method: Method, path: string, options: CallOptions = {}): Promise<Answer> {
  const response = await request(method, path, options);
  if (response.status === 204) return undefined as Answer;
  return (await response.json()) as Answer;
}

/** As {@link call}, for what is no JSON. */
export async function request(method: Method, path: string, options: CallOptions = {}): Promise<Response> {
  const { json, form, key, signal } = options;
  const response = await fetch(path, {
    method,
    headers: {
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    ...((json !== undefined || form !== undefined) && { body: form ?? JSON.stringify(json) }),
    ...(signal && { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause;
    throw new ApiError('net.unreachable', 0, 'The coordinator does not answer.');
  });
  if (response.ok) return response;
  // An unhealthy coordinator says how it is under 503.
  if (response.status === 503 && path === '/v1/health') return response;
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string; title?: string };
  if (response.status === 401 && key === undefined) onSignedOut();
  throw new ApiError(
    problem.code ?? 'unknown',
    response.status,
    problem.detail ?? problem.title ?? `The coordinator answered ${response.status}.`,
  );
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
