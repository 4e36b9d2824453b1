import type { Result } from '../../http/index.ts';
import { printable } from './paint.ts';

/** `14 person, 1 bicycle`: what a result says, in a few words. */
export function resultSummary(analysis: Result['analysis']): string {
  switch (analysis.kind) {
    case 'detections':
      return countText(analysis.detections.map(({ label }) => label));
    case 'scene':
      return analysis.looked ? countText(analysis.tracks.map(({ label }) => label)) : 'nothing moves';
    case 'classes':
      return analysis.classes
        .slice(0, 3)
        .map(({ label, score }) => `${printable(label)} ${score.toFixed(2)}`)
        .join(', ');
    case 'empty':
      return 'nothing to see: the pipeline analyses nothing';
  }
}

/** Labels with how often each occurs, most frequent first. */
function countText(labels: readonly string[]): string {
  const counts = [...Map.groupBy(labels, (label) => label)].map(([label, all]) => [label, all.length] as const);
  if (counts.length === 0) return 'nothing';
  const ordered = counts.toSorted(([a, n], [b, m]) => m - n || a.localeCompare(b));
  return ordered.map(([label, count]) => `${count} ${printable(label)}`).join(', ');
}
