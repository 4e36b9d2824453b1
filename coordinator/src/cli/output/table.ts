import { stripVTControlCharacters } from 'node:util';
import type { Paint } from './paint.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
}

/** Rows in columns as wide as their widest value, two spaces apart. No rows: the empty string. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], paint: Paint): string {
  if (rows.length === 0) return '';
  const cells = [
    columns.map(({ title }) => paint('dim', title)),
    ...rows.map((row) => columns.map((column) => column.value(row))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => widthOf(line[index] ?? ''))));
  const lines = cells.map((line) =>
    line
      .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align ?? 'left'))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

const longestCell = 48;

/** At most as wide as a column should be: the middle of what is longer is left out. */
export function shortened(text: string): string {
  if (text.length <= longestCell) return text;
  const kept = longestCell - 1;
  return `${text.slice(0, Math.floor(kept / 2))}…${text.slice(-Math.ceil(kept / 2))}`;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'left' ? text + space : space + text;
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
