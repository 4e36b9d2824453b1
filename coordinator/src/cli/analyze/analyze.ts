import { asShoalError, ShoalError } from '@shoal/protocol';
import type { Task, TaskPlacement } from '../../http/index.ts';
import { deviceNames } from '../commands/tasks.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { resultSummary } from '../output/index.ts';
import { inOrder } from './in-order.ts';
import { type AnalyzeBytes, type AnalyzeInput, expandInputs, readInput, stemOf } from './inputs.ts';
import type { AnalyzeOptions } from './options.ts';
import { Outputs, type Saved } from './outputs.ts';
import { analysisTable, whereText } from './report.ts';
import { submit } from './submit.ts';
import { analyzeVideo, type VideoReport, videoText } from './video.ts';

interface PictureReport {
  readonly kind: 'picture';
  readonly task: Task;
  readonly placement: TaskPlacement;
  readonly saved?: Saved;
}

type Report = PictureReport | VideoReport;

const mostBytes = 256 << 20;
/** Enough to keep several devices busy while one picture is on its way. */
const inFlight = 4;

/** Analyses every input; what fails is said and the others go on. */
export async function analyze(context: Context, words: readonly string[], options: AnalyzeOptions): Promise<ExitCode> {
  const inputs = await expandInputs(words);
  if (inputs.length === 0) throw new ShoalError('not-found', 'there is no picture or video in what was named');
  const names = await deviceNames(context);
  const outputs = options.out === undefined ? undefined : new Outputs(options.out);
  const shown: object[] = [];
  let failed = 0;
  const work = (input: AnalyzeInput) =>
    analyzeOne(context, input, options, outputs).catch((error: unknown) => asShoalError(error));
  for await (const [input, report] of inOrder(inputs, inFlight, work)) {
    context.world.interrupted.throwIfAborted();
    if (report instanceof ShoalError) failed += 1;
    if (context.json) shown.push(asJson(input, report));
    else if (report instanceof ShoalError) sayFailure(context, input, report);
    else context.print(`${asText(context, input, report, names)}\n`);
  }
  if (context.json) context.print(JSON.stringify({ files: shown, failed }, undefined, 2));
  else if (failed > 0) context.world.stderr.write(`${failed} of ${inputs.length} failed.\n`);
  return failed > 0 ? exitCodes.failed : exitCodes.ok;
}

async function analyzeOne(
  context: Context,
  input: AnalyzeInput,
  options: AnalyzeOptions,
  outputs: Outputs | undefined,
): Promise<Report> {
  const { api, world } = context;
  const name = outputs?.nameFor(stemOf(input.name));
  const content = await readInput(input, mostBytes, world.interrupted);
  const saving = outputs && name !== undefined ? { outputs, name } : undefined;
  if (content.mediaType.startsWith('video/')) return analyzeVideo(context, input, content, options, saving);
  const sayWhy = (reason: string) => void world.stderr.write(`waiting  ${input.name}: ${reason}\n`);
  return analyzePicture(api, content, options, saving, world.interrupted, sayWhy);
}

async function analyzePicture(
  api: Context['api'],
  content: AnalyzeBytes,
  options: AnalyzeOptions,
  saving: { readonly outputs: Outputs; readonly name: string } | undefined,
  signal: AbortSignal,
  sayWhy: (reason: string) => void,
): Promise<PictureReport> {
  const { out: _out, fps: _fps, ...wanted } = options;
  const task = await submit(api, content, wanted, signal, sayWhy);
  const placement = await api.call<TaskPlacement>('GET', `/v1/tasks/${task.id}/placement`, { signal });
  const saved = await saving?.outputs.save(saving.name, content.bytes, task, api, signal);
  return { kind: 'picture', task, placement, ...(saved ? { saved } : {}) };
}

function asText({ paint }: Context, input: AnalyzeInput, report: Report, names: ReadonlyMap<string, string>): string {
  if (report.kind === 'video') return videoText(input.name, report, names, paint);
  const { task, placement, saved } = report;
  const analysis = task.result?.analysis;
  if (!analysis) return input.name;
  const size =
    'picture' in analysis ? `  ${paint('dim', `${analysis.picture.width} x ${analysis.picture.height}`)}` : '';
  const head = `${paint('bold', input.name)}${size}  ${resultSummary(analysis)}\n`;
  const files = saved
    ? `\n  ${paint('dim', 'saved')}   ${[saved.picture, saved.proof].filter(Boolean).join(', ')}`
    : '';
  return `${head}${analysisTable(analysis, paint)}${whereText(task, placement, names, paint)}${files}\n`;
}

function asJson(input: AnalyzeInput, report: Report | ShoalError): object {
  if (report instanceof ShoalError) {
    const { code, message, facts } = report;
    return { file: input.name, ok: false, error: { code, message, facts } };
  }
  const { kind, ...rest } = report;
  return { file: input.name, ok: true, kind, ...rest };
}

function sayFailure({ world, paint }: Context, input: AnalyzeInput, error: ShoalError): void {
  world.stderr.write(`${paint('red', 'failed')}  ${input.name}: ${error.message}\n`);
}
