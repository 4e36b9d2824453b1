import { readFile } from 'node:fs/promises';
import { asShoalError, decodeResult, ShoalError, sha256Hex, type VerifiedBundle, verifyBundle } from '@shoal/protocol';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Paint, paintFor, printable, resultSummary } from '../output/index.ts';
import type { World } from '../world.ts';

export interface VerifyOptions {
  readonly json: boolean;
  /** The picture itself: checks that it is the one that the statement is about. */
  readonly input?: string;
}

/** Checks proof files, offline: nothing is asked of anybody. */
export async function verify(
  files: readonly string[],
  { json, input }: VerifyOptions,
  world: World,
): Promise<ExitCode> {
  const paint = paintFor(world.stdout, world.env);
  const reports: object[] = [];
  let failed = false;
  for (const file of files) {
    try {
      const proof = verifyBundle(await readProof(file));
      if (input !== undefined) await checkInput(proof, input);
      reports.push({ file, valid: true, ...proof.statement, result: decodeResult(proof.result) });
      if (!json) world.stdout.write(proofText(file, proof, input, paint));
    } catch (thrown) {
      failed = true;
      const { code, message, facts } = asShoalError(thrown);
      reports.push({ file, valid: false, error: { code, message } });
      if (!json)
        world.stdout.write(
          `${paint('red', 'NOT VALID')}  ${file}: ${message}${code === 'attestation.invalid' && facts['input'] === undefined ? notGenuine : ''}\n`,
        );
    }
  }
  if (json) world.stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
  return failed ? exitCodes.failed : exitCodes.ok;
}

const notGenuine = '\n  It is no proof (NAME.proof.json), or it was changed after it was made.';
const mostBytes = 64 << 20;

async function readProof(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new ShoalError('not-found', 'there is no such file');
    throw new ShoalError('io.failed', `it cannot be read: ${error.message}`);
  });
  if (bytes.length > mostBytes) throw new ShoalError('attestation.invalid', 'it is far too large for a proof');
  return bytes;
}

async function checkInput({ statement }: VerifiedBundle, input: string): Promise<void> {
  const digest = sha256Hex(await readProof(input));
  const [{ digest: said }] = statement.subject;
  if (said.sha256 !== digest) {
    throw new ShoalError('attestation.invalid', `the statement is about another input than ${input} (${digest})`, {
      input,
    });
  }
}

function proofText(
  file: string,
  { statement, device, result }: VerifiedBundle,
  input: string | undefined,
  paint: Paint,
): string {
  const { predicate, subject } = statement;
  const { model, work } = predicate;
  const source = 'task' in work ? `task ${work.task}` : `camera ${work.camera}, report ${work.report}`;
  const facts: [string, string][] = [
    ['result', resultSummary(decodeResult(result) as Parameters<typeof resultSummary>[0])],
    ['device', `${device.id} signed it; the id is derived from its key`],
    ['input', `sha256 ${subject[0].digest.sha256}${input === undefined ? '' : `, which is ${input}`}`],
    ['model', model ? `${model.name} ${model.version} ${model.variant}, sha256 ${model.sha256}` : 'none'],
    ['software', predicate.software],
    ['pipeline', [predicate.pipeline, parametersText(predicate.parameters)].filter(Boolean).join(' ')],
    ['work', source],
    ['time', `${new Date(predicate.startedAtMs).toISOString()} (by the clock of the device)`],
  ];
  const lines = facts.map(([name, value]) => `  ${paint('dim', name.padEnd(9))} ${printable(value)}\n`);
  return `${paint('green', 'VALID')}  ${file}\n${lines.join('')}`;
}

function parametersText(parameters: object): string {
  return Object.keys(parameters).length === 0 ? '' : JSON.stringify(parameters);
}
