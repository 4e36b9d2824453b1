import { decodeLevels } from '@shoal/protocol';
import type { CameraSample, Outcome } from '../coarse/index.ts';
import type { Fleet } from '../fleet/index.ts';
import { escapeHtml, linePlot, type Plot } from './plot.ts';
import { rowsOf } from './rows.ts';

const hourMs = 3_600_000;

/** A report that stands alone: one page, no script, nothing fetched. `outcomes`: one of each strategy. */
export function htmlReport(fleet: Fleet, outcomes: readonly Outcome[], caveat: string): string {
  const hours = (outcomes[0]?.virtualMs ?? 0) / hourMs;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(fleet.name)}: ${escapeHtml(fleet.title)}</title>
<style>${style}</style>
<h1>${escapeHtml(fleet.title)}</h1>
<p>${deviceCount(fleet)} devices, ${hours.toLocaleString('en')} hours, seed ${outcomes[0]?.seed ?? 0}. ${escapeHtml(caveat)}</p>
${summary(outcomes)}
<div class="plots">
${latencyPlot(outcomes)}
${missPlot(outcomes)}
${powerPlot(outcomes)}
${outcomes.map(batteryPlot).join('\n')}
${outcomes.map(cameraPlot).join('\n')}
${outcomes.map(loadBars).join('\n')}
</div>
</html>
`;
}

function deviceCount({ devices }: Fleet): number {
  return devices.reduce((sum, { count }) => sum + count, 0);
}

function summary(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(rowsOf);
  const head = Object.keys(rows[0] ?? {}).map((title) => `<th scope="col">${escapeHtml(title)}</th>`);
  const body = rows.map((row) => {
    const [first = '', ...rest] = Object.values(row);
    return `<tr><th scope="row">${escapeHtml(first)}</th>${rest.map((text) => `<td>${escapeHtml(text)}</td>`).join('')}</tr>`;
  });
  return `<table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

function latencyPlot(outcomes: readonly Outcome[]): string {
  return linePlot({
    title: 'Latency: part of the work that was done within a time',
    x: { label: 'ms', max: niceLimit(outcomes) },
    y: { label: 'part', max: 1 },
    series: outcomes.map(({ strategy, latenciesMs }) => ({
      name: strategy,
      points: latenciesMs.map((ms, index) => [ms, (index + 1) / latenciesMs.length] as const),
    })),
  });
}

/** The tails of bad strategies would leave no room for the others. */
function niceLimit(outcomes: readonly Outcome[]): number {
  const p99 = outcomes.map(({ latencyMs }) => latencyMs.p99).sort((a, b) => a - b);
  return Math.max(1, Math.ceil((p99[p99.length >> 1] ?? 1) / 50) * 50);
}

/** The axis of a whole run: minutes of a short one, hours of a long one. */
function timeOf(outcomes: readonly Outcome[]): { readonly x: Plot['x']; readonly unitMs: number } {
  const longestMs = Math.max(...outcomes.map(({ virtualMs }) => virtualMs));
  const [label, unitMs] = longestMs < 3 * hourMs ? ['minutes', hourMs / 60] : ['hours', hourMs];
  return { x: { label, max: longestMs / unitMs }, unitMs };
}

function missPlot(outcomes: readonly Outcome[]): string {
  const { x, unitMs } = timeOf(outcomes);
  return linePlot({
    title: 'Missed: part of the work that was late or never begun',
    x,
    y: { label: 'part' },
    series: outcomes.map(({ strategy, samples }) => ({
      name: strategy,
      points: samples.map(({ atMs, missed }) => [atMs / unitMs, missed] as const),
    })),
  });
}

function powerPlot(outcomes: readonly Outcome[]): string {
  const { x, unitMs } = timeOf(outcomes);
  return linePlot({
    title: 'Power that work draws, above idling',
    x,
    y: { label: 'W' },
    series: outcomes.map(({ strategy, samples }) => ({
      name: strategy,
      points: samples.map(({ atMs, workWatts }) => [atMs / unitMs, workWatts] as const),
    })),
  });
}

function batteryPlot(outcome: Outcome): string {
  const { strategy, samples } = outcome;
  const { x, unitMs } = timeOf([outcome]);
  const classes = Object.keys(samples[0]?.batteries ?? {});
  if (classes.length === 0) return '';
  return linePlot({
    title: `Batteries under ${strategy}: the median, and the lowest (dashed)`,
    x,
    y: { label: '%', max: 100 },
    series: classes.flatMap((name) =>
      (['median', 'least'] as const).map((which) => ({
        name: `${name}, ${which}`,
        dashed: which === 'least',
        points: samples.map(({ atMs, batteries }) => [atMs / unitMs, batteries[name]?.[which] ?? 0] as const),
      })),
    ),
  });
}

function cameraPlot(outcome: Outcome): string {
  const { strategy, samples, cameras } = outcome;
  if (!cameras) return '';
  const { x, unitMs } = timeOf([outcome]);
  const line = (name: string, of: (sample: CameraSample) => number, dashed = false) => ({
    name,
    dashed,
    points: samples.flatMap(({ atMs, cameras: sample }) => (sample ? [[atMs / unitMs, of(sample)] as const] : [])),
  });
  return linePlot({
    title: `Cameras under ${strategy}: parts of the time they were watched, of the frames, and how they were decoded (dashed)`,
    x,
    y: { label: 'part', max: 1 },
    series: [
      line('watched', ({ watched }) => watched),
      line('frames analysed', ({ analysed }) => analysed),
      ...decodeLevels.map((level) => line(level, ({ levels }) => levels[level], true)),
    ],
  });
}

const mostBars = 40;

function loadBars({ strategy, devices }: Outcome): string {
  const busiest = devices.toSorted((a, b) => b.busy - a.busy).slice(0, mostBars);
  const bars = busiest.map(({ name, busy }) => {
    const share = (100 * busy).toFixed(1);
    return `<li><span>${escapeHtml(name)}</span><b style="width:${Math.min(100, 100 * busy).toFixed(1)}%"></b><em>${share} %</em></li>`;
  });
  const more = devices.length > mostBars ? `, the ${mostBars} busiest of ${devices.length}` : '';
  return `<figure><figcaption>Busy under ${escapeHtml(strategy)}${more}</figcaption><ol class="bars">${bars.join('')}</ol></figure>`;
}

const style = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 1320px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child { text-align: left; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(560px, 100%), 1fr)); gap: 1.5rem; margin-top: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 600; margin-bottom: .3rem; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; } .grid { stroke: #8884; }
.legend span { margin-right: 1rem; white-space: nowrap; } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; }
.bars { list-style: none; padding: 0; margin: 0; font-size: 12px; }
.bars li { display: grid; grid-template-columns: 9rem 1fr 4rem; align-items: center; gap: .5rem; }
.bars b { background: #0072b2; height: .8em; min-width: 1px; } .bars em { font-style: normal; text-align: right; }
`;
