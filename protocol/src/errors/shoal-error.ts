import { type Blame, type ErrorCode, type ErrorKind, errorCatalogue } from './catalogue.ts';

/** Facts are small and safe to show: no secrets, no payloads. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * The one error class that crosses a boundary. `message` says what is wrong here and what to do about it; `code` and `facts`
 * are for programs.
 */
export class ShoalError extends Error {
  override readonly name = 'ShoalError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.facts = facts;
  }

  get kind(): ErrorKind {
    return errorCatalogue[this.code];
  }

  get blame(): Blame {
    return this.kind.blame;
  }

  get retryable(): boolean {
    return this.kind.retryable;
  }
}

export function isShoalError(error: unknown, code?: ErrorCode): error is ShoalError {
  return error instanceof ShoalError && (code === undefined || error.code === code);
}

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(errorCatalogue, value);
}

/** Anything that was thrown, as a {@link ShoalError}; what is not known yet is a defect, with its cause kept. */
export function asShoalError(thrown: unknown, code: ErrorCode = 'defect'): ShoalError {
  if (thrown instanceof ShoalError) return thrown;
  if (thrown instanceof Error) {
    const known = systemErrorCode(thrown) ?? signalErrorCode(thrown) ?? code;
    return new ShoalError(known, thrown.message, {}, { cause: thrown });
  }
  return new ShoalError(
    code,
    typeof thrown === 'string' ? thrown : 'something was thrown that is no error',
    {},
    { cause: thrown },
  );
}

/** What an aborted signal gives as its reason when nobody chose one. */
function signalErrorCode(error: Error): ErrorCode | undefined {
  if (error.name === 'AbortError') return 'aborted';
  return error.name === 'TimeoutError' ? 'timeout' : undefined;
}

function systemErrorCode(error: Error): ErrorCode | undefined {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'io.disk-full';
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENOTFOUND':
    case 'EPIPE':
      return 'net.unreachable';
    case 'ETIMEDOUT':
      return 'timeout';
    case 'ENOENT':
    case 'EACCES':
    case 'EPERM':
    case 'EMFILE':
    case 'EIO':
    case 'EROFS':
      return 'io.failed';
    default:
      return undefined;
  }
}
