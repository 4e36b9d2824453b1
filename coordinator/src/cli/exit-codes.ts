import { asShoalError, type ErrorCode } from '@shoal/protocol';

/** What a command ends with, so that scripts can tell. */
export const exitCodes = {
  ok: 0,
  /** It was done, and something failed: a file, a check, a proof. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The coordinator cannot be reached. */
  unreachable: 3,
  /** The coordinator does not let us: the key is missing or wrong. */
  refused: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** How a command that runs says what to end with. */
export type SetExitCode = (code: ExitCode) => void;

export const exitCodesHelp = `
Exit codes: 0 done, 1 something failed, 2 wrong usage, 3 coordinator not reachable, 4 key refused, 130 interrupted.`;

const byCode: Partial<Record<ErrorCode, ExitCode>> = {
  'net.unreachable': exitCodes.unreachable,
  'auth.missing': exitCodes.refused,
  'auth.forbidden': exitCodes.refused,
  aborted: exitCodes.interrupted,
};

export function exitCodeOf(error: unknown): ExitCode {
  return byCode[asShoalError(error).code] ?? exitCodes.failed;
}
