import { isUtf8 } from 'node:buffer';
import { fromUtf8, sha256Hex, utf8 } from '../bytes/index.ts';
import { ShoalError } from '../errors/index.ts';
import type { Identity, PeerId, PeerKey } from '../identity/index.ts';
import { canonicalJson, type Json } from '../json/index.ts';
import { openDsse, signDsse } from './dsse.ts';

const statementType = 'https://in-toto.io/Statement/v1';
export const statementMediaType = 'application/vnd.in-toto+json';
/** A name, not a place: nothing is fetched from it. */
const resultPredicateType = 'urn:shoal:attestation:result:v1';

/** What a device says about a result: which input, which model and which software gave which output, and when. */
export interface ResultPredicate {
  readonly device: PeerId;
  /** Name and version of the agent. */
  readonly software: string;
  readonly pipeline: string;
  readonly parameters: { readonly [name: string]: Json };
  /** The model file that ran; `null` for a pipeline without one. */
  readonly model: {
    readonly name: string;
    readonly version: string;
    readonly variant: string;
    readonly sha256: string;
  } | null;
  /** The task and attempt, or the camera and the number of its report, that this is the result of. */
  readonly work:
    | { readonly task: string; readonly attempt: string }
    | { readonly camera: string; readonly report: number };
  /** Device wall clock, ms since the Unix epoch. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly output: { readonly mediaType: string; readonly sha256: string; readonly sizeBytes: number };
}

/** An in-toto Statement v1 about one result. */
export interface ResultStatement {
  readonly _type: typeof statementType;
  /** The input: its SHA-256. */
  readonly subject: readonly [{ readonly name: string; readonly digest: { readonly sha256: string } }];
  readonly predicateType: typeof resultPredicateType;
  readonly predicate: ResultPredicate;
}

export interface AttestOptions extends Omit<ResultPredicate, 'device' | 'output'> {
  readonly input: { readonly name: string; readonly sha256: string };
  /** The exact bytes of the result. */
  readonly output: Uint8Array;
  readonly outputMediaType: string;
}

/** The signed statement about a result: a DSSE envelope as JSON bytes. */
export function attestResult(identity: Identity, options: AttestOptions): Uint8Array {
  return signDsse(identity, statementMediaType, statementAbout(identity.id, options));
}

/** What the device says about a result, as the bytes of canonical JSON: the payload that it signs. */
export function statementAbout(device: PeerId, options: AttestOptions): Uint8Array {
  const { input, output, outputMediaType, ...rest } = options;
  const statement: ResultStatement = {
    _type: statementType,
    subject: [{ name: input.name, digest: { sha256: input.sha256 } }],
    predicateType: resultPredicateType,
    predicate: {
      ...rest,
      device,
      output: { mediaType: outputMediaType, sha256: sha256Hex(output), sizeBytes: output.length },
    },
  };
  return utf8(canonicalJson(statement));
}

/**
 * Checks that an attestation is the device's and speaks of these exact output bytes.
 * @throws `attestation.invalid` with what does not fit.
 */
export function verifyAttestation(attestation: Uint8Array, output: Uint8Array, key: PeerKey): ResultStatement {
  const statement = parseStatement(openDsse(parseCanonical(attestation, 'the attestation'), statementMediaType, key));
  if (statement.predicate.device !== key.id) throw invalid('the statement speaks for another device');
  const { sha256, sizeBytes } = statement.predicate.output;
  if (sizeBytes !== output.length || sha256 !== sha256Hex(output)) {
    throw new ShoalError('attestation.invalid', 'the result is not the one that the statement is about', { sha256 });
  }
  return statement;
}

/** JSON that is written in its one canonical form, so that a change of any byte is a change of what it says. */
function parseCanonical(bytes: Uint8Array, what: string): unknown {
  try {
    const text = fromUtf8(bytes);
    const value: unknown = JSON.parse(text);
    // Bytes that are no text are read as other text.
    if (isUtf8(bytes) && canonicalJson(value) === text) return value;
  } catch (cause) {
    throw new ShoalError('attestation.invalid', `${what} is not JSON`, {}, { cause });
  }
  throw invalid(`${what} is not canonical JSON`);
}

function parseStatement(payload: Uint8Array): ResultStatement {
  const statement = parseCanonical(payload, 'the statement') as Partial<ResultStatement> | null;
  const subject = statement?.subject?.[0];
  const whole =
    statement?._type === statementType &&
    statement.predicateType === resultPredicateType &&
    statement.subject?.length === 1 &&
    typeof subject?.name === 'string' &&
    isDigest(subject.digest?.sha256) &&
    isPredicate(statement.predicate);
  if (!whole) throw invalid('the payload is not an in-toto statement about a result');
  return statement as ResultStatement;
}

function isPredicate(value: Partial<ResultPredicate> | null | undefined): boolean {
  const { device, software, pipeline, parameters, model, work, startedAtMs, finishedAtMs, output } = value ?? {};
  return (
    [device, software, pipeline, output?.mediaType].every((text) => typeof text === 'string') &&
    [startedAtMs, finishedAtMs, output?.sizeBytes].every((number) => typeof number === 'number') &&
    [parameters, work].every((object) => typeof object === 'object' && object !== null) &&
    isDigest(output?.sha256) &&
    (model === null || isDigest(model?.sha256))
  );
}

function isDigest(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function invalid(why: string): ShoalError {
  return new ShoalError('attestation.invalid', why);
}
