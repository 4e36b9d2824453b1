import type { Task, TaskPlacement } from '../../http/index.ts';
import { placementSummary } from '../../placement/index.ts';
import { nameOf } from '../commands/tasks.ts';
import { durationText, type Paint, printable, table } from '../output/index.ts';

type Analysis = NonNullable<Task['result']>['analysis'];

/** What was seen in one picture, as a table. */
export function analysisTable(analysis: Analysis, paint: Paint): string {
  switch (analysis.kind) {
    case 'detections':
      return seenTable(analysis.detections, paint);
    case 'scene':
      return seenTable(analysis.tracks, paint);
    case 'classes':
      return table(
        analysis.classes,
        [
          { title: '  CLASS', value: ({ label }) => `  ${paint('bold', printable(label))}` },
          { title: 'SCORE', value: ({ score }) => score.toFixed(2), align: 'right' },
        ],
        paint,
      );
    case 'empty':
      return '  the pipeline analyses nothing\n';
  }
}

function seenTable(seen: Extract<Analysis, { kind: 'detections' }>['detections'], paint: Paint): string {
  if (seen.length === 0) return '  nothing was seen\n';
  return table(
    seen,
    [
      { title: '  SEEN', value: ({ label }) => `  ${paint('bold', printable(label))}` },
      { title: 'SCORE', value: ({ score }) => score.toFixed(2), align: 'right' },
      { title: 'LEFT', value: ({ box }) => box.x.toFixed(0), align: 'right' },
      { title: 'TOP', value: ({ box }) => box.y.toFixed(0), align: 'right' },
      { title: 'SIZE', value: ({ box }) => `${box.width.toFixed(0)} x ${box.height.toFixed(0)}`, align: 'right' },
    ],
    paint,
  );
}

/** Where it ran, with what, how long it took, and why there. */
export function whereText(
  task: Task,
  placement: TaskPlacement | undefined,
  names: ReadonlyMap<string, string>,
  paint: Paint,
): string {
  const attempt = task.attempts.at(-1);
  if (!attempt) return '';
  const { device, model, variant, timings } = attempt;
  const what = model === undefined ? '' : ` with ${printable(`${model} ${variant ?? ''}`.trim())}`;
  const took = timings
    ? `${loadText(timings.loadMs)}, ${durationText(timings.decodeMs)} to decode, ${durationText(timings.inferenceMs)} to run`
    : '';
  const chosen = placement?.attempts.find(({ id }) => id === attempt.id)?.placement;
  const why = chosen ? `\n  ${paint('dim', 'because')} ${reasonText(chosen, names)}` : '';
  return `  ${paint('dim', 'ran on')}  ${paint('green', nameOf(device, names))}${what}${took}${why}`;
}

/** Waiting for a model to be fetched and loaded is worth a word: it happens once. */
function loadText(loadMs: number): string {
  return loadMs < 50 ? '' : `, ${durationText(loadMs)} to load the model (once)`;
}

/** Why a device was chosen, in one line. */
function reasonText(
  placement: TaskPlacement['attempts'][number]['placement'],
  names: ReadonlyMap<string, string>,
): string {
  const why = `it was ${placementSummary(placement, (device) => nameOf(device, names))}`;
  const [first, ...more] = placement.refused;
  if (!first) return why;
  const rest = more.length > 0 ? ` and ${more.length} more` : '';
  return `${why}; refused: ${nameOf(first.device, names)} (${printable(first.detail)})${rest}`;
}
