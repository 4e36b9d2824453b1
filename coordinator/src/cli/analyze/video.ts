import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Task } from '../../http/index.ts';
import { nameOf } from '../commands/tasks.ts';
import type { Context } from '../context.ts';
import { type Paint, positionText, printable, progressOn, table } from '../output/index.ts';
import type { AnalyzeBytes, AnalyzeInput } from './inputs.ts';
import type { AnalyzeOptions } from './options.ts';
import type { Outputs, Saved } from './outputs.ts';
import { submit } from './submit.ts';
import { findFfmpeg, type VideoFrame, videoFrames } from './video-frames.ts';

export interface VideoReport {
  readonly kind: 'video';
  readonly frames: readonly FrameReport[];
}

interface FrameReport {
  readonly atMs: number;
  readonly task: Task;
  readonly saved?: Saved;
}

/** Pictures of one video that are with the coordinator at the same time. */
const framesInFlight = 4;

/** Takes pictures from a video with ffmpeg, analyses each as a task, and shows how far it is. */
export async function analyzeVideo(
  context: Context,
  input: AnalyzeInput,
  content: AnalyzeBytes,
  options: AnalyzeOptions,
  saving: { readonly outputs: Outputs; readonly name: string } | undefined,
): Promise<VideoReport> {
  const { world, api } = context;
  const ffmpeg = await findFfmpeg(world.env['PATH']);
  const { out: _out, fps, ...wanted } = options;
  const progress = progressOn(world.stderr, input.name, () => world.clock.monotonicMs());
  const analyzeFrame = async ({ index, atMs, jpeg }: VideoFrame): Promise<FrameReport> => {
    const task = await submit(api, { bytes: jpeg, mediaType: 'image/jpeg' }, wanted, world.interrupted);
    const name = `${saving?.name}/${String(index + 1).padStart(5, '0')}`;
    const saved = await saving?.outputs.save(name, jpeg, task, api, world.interrupted);
    return { atMs, task, ...(saved ? { saved } : {}) };
  };
  return withFile(input, content, async (file) => {
    const { frames, durationMs } = videoFrames(ffmpeg, file, fps, world.interrupted);
    const pending: Promise<FrameReport>[] = [];
    const done: FrameReport[] = [];
    const takeOldest = async () => {
      const report = await pending.shift();
      if (!report) return;
      done.push(report);
      const total = durationMs();
      progress.update(total === undefined ? undefined : Math.min(1, report.atMs / total), `${done.length} pictures`);
    };
    try {
      for await (const frame of frames) {
        pending.push(analyzeFrame(frame));
        if (pending.length >= framesInFlight) await takeOldest();
      }
      while (pending.length > 0) await takeOldest();
    } finally {
      progress.end();
      await Promise.allSettled(pending);
    }
    return { kind: 'video', frames: done };
  });
}

/** ffmpeg seeks: it is given a file, also for what came from a URL. */
async function withFile<T>(
  input: AnalyzeInput,
  { bytes }: AnalyzeBytes,
  use: (file: string) => Promise<T>,
): Promise<T> {
  if (input.kind === 'file') return use(input.name);
  const folder = await mkdtemp(join(tmpdir(), 'shoal-video-'));
  try {
    const file = join(folder, 'video');
    await writeFile(file, bytes);
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Seen {
  readonly label: string;
  readonly pictures: number;
  readonly most: number;
  readonly best: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** A row for each label: in how many pictures, how many at once, from when to when. */
export function videoText(
  name: string,
  { frames }: VideoReport,
  names: ReadonlyMap<string, string>,
  paint: Paint,
): string {
  const places = Map.groupBy(frames, ({ task }) => task.attempts.at(-1)?.device ?? '');
  const where = [...places]
    .map(([device, some]) => `${nameOf(device, names)} (${some.length})${modelText(some[0])}`)
    .join(', ');
  const saved = frames.find((frame) => frame.saved)?.saved;
  const rows = table(
    summarize(frames),
    [
      { title: '  SEEN', value: ({ label }) => `  ${paint('bold', printable(label))}` },
      { title: 'PICTURES', value: ({ pictures }) => String(pictures), align: 'right' },
      { title: 'AT ONCE', value: ({ most }) => String(most), align: 'right' },
      { title: 'BEST', value: ({ best }) => best.toFixed(2), align: 'right' },
      { title: 'FROM', value: ({ firstMs }) => positionText(firstMs), align: 'right' },
      { title: 'TO', value: ({ lastMs }) => positionText(lastMs), align: 'right' },
    ],
    paint,
  );
  const files = saved ? `\n  ${paint('dim', 'saved')}   ${join(saved.proof, '..')}/ (pictures and proofs)` : '';
  const head = `${paint('bold', name)}  ${paint('dim', `${frames.length} pictures`)}\n`;
  return `${head}${rows || '  nothing was seen\n'}  ${paint('dim', 'ran on')}  ${where}${files}\n`;
}

function modelText(frame: FrameReport | undefined): string {
  const { model, variant } = frame?.task.attempts.at(-1) ?? {};
  return model === undefined ? '' : ` with ${printable(`${model} ${variant ?? ''}`.trim())}`;
}

function summarize(frames: readonly FrameReport[]): Seen[] {
  const seen = new Map<string, Seen>();
  for (const { atMs, task } of frames) {
    const analysis = task.result?.analysis;
    const found =
      analysis?.kind === 'detections'
        ? analysis.detections
        : analysis?.kind === 'classes'
          ? analysis.classes.slice(0, 1)
          : [];
    for (const [label, all] of Map.groupBy(found, (each) => each.label)) {
      const before = seen.get(label);
      const best = Math.max(before?.best ?? 0, ...all.map(({ score }) => score));
      const most = Math.max(before?.most ?? 0, all.length);
      seen.set(label, {
        label,
        pictures: (before?.pictures ?? 0) + 1,
        most,
        best,
        firstMs: before?.firstMs ?? atMs,
        lastMs: atMs,
      });
    }
  }
  return [...seen.values()].sort((a, b) => b.pictures - a.pictures || b.best - a.best);
}
