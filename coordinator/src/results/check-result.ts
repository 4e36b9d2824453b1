import type { ModelManifest } from '@shoal/models/manifest';
import {
  type AnalysisResult,
  decodeResult,
  fromUtf8,
  openDsse,
  type PeerKey,
  type ResultPredicate,
  type ResultStatement,
  ShoalError,
  sha256Hex,
  statementMediaType,
  verifyAttestation,
} from '@shoal/protocol';

const largestResultBytes = 4 << 20;
const largestAttestationBytes = 64 << 10;

/** What a pipeline without an input is attested over: nothing. */
export const emptyInputDigest = sha256Hex('');

/** What the coordinator asked for: the statement must speak of this and nothing else. */
export interface ExpectedResult {
  readonly work: ResultPredicate['work'];
  readonly pipeline: string;
  /** SHA-256 of the input, lower-case hex. */
  readonly inputDigest: string;
  readonly model?: ModelManifest;
  /** `undefined`: whichever the device chose. */
  readonly variant?: string;
}

/**
 * Checks a result before it is believed: the device signed a statement about these exact bytes, this input, this model file and this work.
 * @throws `attestation.invalid`, `message.malformed`, `message.too-large`.
 */
export function checkResult(
  said: { readonly result: Uint8Array; readonly attestation: Uint8Array },
  key: PeerKey,
  expected: ExpectedResult,
): AnalysisResult {
  checkSizes(said);
  const { subject, predicate } = verifyAttestation(said.attestation, said.result, key);
  if (!sameWork(predicate.work, expected.work)) throw invalid('the statement is about other work');
  if (predicate.pipeline !== expected.pipeline) throw invalid('the statement is about another pipeline');
  if (subject[0].digest.sha256 !== expected.inputDigest) {
    throw invalid('the statement is about another input');
  }
  checkModel(predicate.model, expected.model, expected.variant);
  const result = decodeResult(said.result);
  if (result.pipeline !== expected.pipeline) throw invalid('the result is of another pipeline');
  return result;
}

/**
 * The same for a report of a camera. Which frame, pipeline and model it was only the device can say: the camera may have been changed since. A
 * device whose outbox was full brings the statement without the bytes it is about: then there is no result, but there is proof that there was.
 */
export function checkReport(
  said: { readonly result: Uint8Array; readonly attestation: Uint8Array },
  key: PeerKey,
  work: ResultPredicate['work'],
  modelOf: (name: string) => ModelManifest | undefined,
): AnalysisResult | undefined {
  checkSizes(said);
  const shed = said.result.length === 0;
  const { predicate } = shed
    ? statementAlone(said.attestation, key)
    : verifyAttestation(said.attestation, said.result, key);
  if (predicate.device !== key.id || !sameWork(predicate.work, work))
    throw invalid('the statement is about other work');
  checkModel(predicate.model, modelOf(predicate.model?.name ?? ''));
  if (shed) return undefined;
  const result = decodeResult(said.result);
  if (result.pipeline !== predicate.pipeline) throw invalid('the result is of another pipeline');
  if ('camera' in work && result.frame && result.frame.camera !== work.camera)
    throw invalid('the result is of another camera');
  return result;
}

function statementAlone(attestation: Uint8Array, key: PeerKey): ResultStatement {
  try {
    const payload = openDsse(JSON.parse(fromUtf8(attestation)), statementMediaType, key);
    const statement = JSON.parse(fromUtf8(payload)) as Partial<ResultStatement>;
    if (typeof statement.predicate?.work === 'object' && statement.predicate.work !== null)
      return statement as ResultStatement;
  } catch (error) {
    if (error instanceof ShoalError) throw error;
  }
  throw invalid('not a signed statement about a result');
}

function checkSizes(said: { readonly result: Uint8Array; readonly attestation: Uint8Array }): void {
  if (said.result.length > largestResultBytes) throw tooLarge('result', largestResultBytes);
  if (said.attestation.length > largestAttestationBytes) throw tooLarge('attestation', largestAttestationBytes);
}

function checkModel(model: ResultPredicate['model'], expected: ModelManifest | undefined, variant?: string): void {
  if (!expected) {
    if (model !== null) throw invalid('the statement names a model that was not asked for');
    return;
  }
  if (model?.name !== expected.name) throw invalid('the statement is about another model');
  if (variant !== undefined && model.variant !== variant) throw invalid('the statement is about another variant');
  const known = expected.variants.find(({ name }) => name === model.variant);
  if (!known) throw invalid('the statement is about a variant that the manifest here does not have');
  if (known.sha256 !== model.sha256) {
    // What a device says is shown, but not believed to be a digest.
    const ran = JSON.stringify(model.sha256)?.slice(0, 66);
    throw invalid(
      `the model file of ${expected.name} ${known.name} that ran has the SHA-256 ${ran}; in the manifest here it is "${known.sha256}"`,
    );
  }
}

function sameWork(a: ResultPredicate['work'], b: ResultPredicate['work']): boolean {
  if ('task' in a) return 'task' in b && a.task === b.task && a.attempt === b.attempt;
  return 'camera' in b && a.camera === b.camera && a.report === b.report;
}

function invalid(why: string): ShoalError {
  return new ShoalError('attestation.invalid', why);
}

function tooLarge(what: string, limitBytes: number): ShoalError {
  return new ShoalError('message.too-large', `the ${what} is larger than ${limitBytes} bytes`, { limitBytes });
}
