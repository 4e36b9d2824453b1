/** One line of a plot: points in the units of the axes. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
}

export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

interface Axis {
  readonly label: string;
  /** Where it ends; left out: at the largest value. */
  readonly max?: number;
}

const size = { width: 640, height: 300, left: 56, right: 12, top: 12, bottom: 40 };
/** Told apart also by those who do not see red and green alike (Okabe and Ito). */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#999999', '#f0e442'];

/** Lines over two axes that begin at zero, as SVG. */
export function linePlot({ title, x, y, series }: Plot): string {
  const all = series.flatMap(({ points }) => points);
  const xMax = x.max ?? niceMax(all.map(([value]) => value));
  const yMax = y.max ?? niceMax(all.map(([, value]) => value));
  const plotWidth = size.width - size.left - size.right;
  const plotHeight = size.height - size.top - size.bottom;
  const px = (value: number) => (size.left + (plotWidth * value) / xMax).toFixed(1);
  const py = (value: number) => (size.top + plotHeight * (1 - Math.min(value, yMax) / yMax)).toFixed(1);
  const grid = [
    ...ticksTo(yMax).map(
      (value) =>
        `<line class="grid" x1="${size.left}" x2="${size.width - size.right}" y1="${py(value)}" y2="${py(value)}"/>` +
        `<text x="${size.left - 6}" y="${Number(py(value)) + 4}" text-anchor="end">${tick(value)}</text>`,
    ),
    ...ticksTo(xMax).map(
      (value) =>
        `<text x="${px(value)}" y="${size.height - size.bottom + 16}" text-anchor="middle">${tick(value)}</text>`,
    ),
  ];
  const lines = series.map(({ points, dashed }, i) => {
    const shown = points.filter(([value]) => value <= xMax);
    const path = shown.map(([a, b], n) => `${n === 0 ? 'M' : 'L'}${px(a)} ${py(b)}`).join('');
    return `<path d="${path}" fill="none" stroke="${colours[i % colours.length]}" stroke-width="1.8"${dashed ? ' stroke-dasharray="4 3"' : ''}/>`;
  });
  const legend = series.map(
    ({ name }, i) => `<span><i style="background:${colours[i % colours.length]}"></i>${escapeHtml(name)}</span>`,
  );
  const axes =
    `<text x="${size.left + plotWidth / 2}" y="${size.height - 6}" text-anchor="middle">${escapeHtml(x.label)}</text>` +
    `<text transform="translate(12 ${size.top + plotHeight / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(y.label)}</text>`;
  const svg = `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(title)}">${grid.join('')}${axes}${lines.join('')}</svg>`;
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>${svg}<p class="legend">${legend.join('')}</p></figure>`;
}

/** The next round number above the largest value. */
function niceMax(values: readonly number[]): number {
  const max = values.reduce((most, value) => Math.max(most, value), 0);
  if (max <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(max));
  return power * ([1, 2, 5, 10].find((step) => max <= step * power) ?? 10);
}

/** Round values from zero on, four or five of them as a rule. */
function ticksTo(max: number): readonly number[] {
  const rough = max / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((each) => rough <= each * power * (1 + 1e-9)) ?? 10);
  return Array.from({ length: Math.floor(max / step + 1e-9) + 1 }, (_, n) => n * step);
}

function tick(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.01) return value.toExponential(0);
  return Number(value.toPrecision(3)).toLocaleString('en');
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
