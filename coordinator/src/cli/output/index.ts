export { type Paint, paintFor, printable } from './paint.ts';
export { type Progress, progressOn } from './progress.ts';
export { resultSummary } from './result-summary.ts';
export { type Column, shortened, table } from './table.ts';
export { agoText, bytesText, dayText, durationText, parseDuration, positionText } from './units.ts';
