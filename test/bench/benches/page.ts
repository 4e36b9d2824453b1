import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { Browser, hasChromium } from '../../support/browser.ts';
import { canMakeClips, makeClip } from '../../support/clips.ts';
import { Fleet } from '../../support/fleet.ts';
import { absoluteFigure, type Bench, median } from '../harness.ts';

const assets = join(import.meta.dirname, '../../../coordinator/dashboard/dist/assets');
const cameras = 16;
const fps = 5;
const openings = 5;
const watchedMs = 20_000;
const patienceMs = 120_000;
/** Clock ticks of /proc in a second, on every Linux that there is. */
const ticksPerSecond = 100;

/** Counts pictures that are drawn, before the page's own scripts. */
const countDrawings = `
  globalThis.drawn = 0;
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...where) {
    globalThis.drawn += 1;
    globalThis.firstDrawnMs ??= performance.now();
    return draw.apply(this, where);
  };`;

export const pageBench: Bench = {
  name: 'page',
  title: `the page: its size, its first paint, and ${cameras} live cameras at ${fps} pictures a second in a real Chromium`,
  async missing() {
    if (!hasChromium()) return 'chromium is not installed';
    return (await canMakeClips()) ? undefined : 'ffmpeg or the pictures in ../shared/data/photos are not there';
  },
  async run(report) {
    const sizes = await scriptSizes();
    report.line(
      `script, gzip: ${sizes.allKb.toFixed(1)} KB in all, ${sizes.firstKb.toFixed(1)} KB before the first picture`,
    );
    await using fleet = await Fleet.start({ agents: 1 });
    const clip = await makeClip(fleet.directory);
    await using browser = await Browser.start();

    const paints: number[] = [];
    for (let i = 0; i < openings; i++) paints.push(await firstPaintMs(browser, fleet.url));
    report.line(`first paint: ${paints.map((ms) => ms.toFixed(0)).join(', ')} ms`);

    // A picture in which nothing moves needs no model: what is measured is the page, not the machine that watches beside it.
    for (let i = 1; i <= cameras; i++) {
      const camera = { source: clip, name: `Camera ${i}`, pipeline: 'watch', targetFps: fps, loop: true };
      await fleet.json('POST', '/v1/cameras', camera);
    }
    const { page } = await browser.open('about:blank', { viewport: { width: 1920, height: 1080 } });
    await page.addInitScript(countDrawings);
    await page.goto(fleet.url);
    const settled = `document.querySelectorAll('canvas').length === ${cameras} && globalThis.drawn > ${cameras * fps * 5}`;
    await until(page, settled);
    const firstDrawnMs = await page.evaluate<number>('globalThis.firstDrawnMs');
    const before = {
      ms: performance.now(),
      drawn: await page.evaluate<number>('globalThis.drawn'),
      cpu: await browserCpuMs(),
    };
    await new Promise((resolve) => setTimeout(resolve, watchedMs));
    const after = {
      ms: performance.now(),
      drawn: await page.evaluate<number>('globalThis.drawn'),
      cpu: await browserCpuMs(),
    };
    const seconds = (after.ms - before.ms) / 1_000;
    const drawnPerSecond = (after.drawn - before.drawn) / seconds;
    report.line(`first live picture ${firstDrawnMs.toFixed(0)} ms after the page was opened`);
    return [
      absoluteFigure('script, gzip, all of it', 'KB', sizes.allKb, { atMost: 150 }),
      absoluteFigure('script, gzip, before the first picture', 'KB', sizes.firstKb, { atMost: 60 }),
      absoluteFigure('first contentful paint', 'ms', median(paints), { atMost: 1_000 }),
      absoluteFigure('pictures drawn', '/s', drawnPerSecond, { atLeast: cameras * fps * 0.9 }),
      absoluteFigure('processor of the browser', 'cores', (after.cpu - before.cpu) / 1_000 / seconds, { atMost: 0.5 }),
    ];
  },
};

async function scriptSizes(): Promise<{ readonly allKb: number; readonly firstKb: number }> {
  const names = (await readdir(assets)).filter((name) => name.endsWith('.js.gz'));
  const html = await readFile(join(assets, '../index.html'), 'utf8');
  let [allKb, firstKb] = [0, 0];
  for (const name of names) {
    const kb = (await stat(join(assets, name))).size / 1_000;
    allKb += kb;
    if (html.includes(name.replace(/\.gz$/, ''))) firstKb += kb;
  }
  return { allKb, firstKb };
}

/** Asks again and again from outside: the page's policy lets nothing be evaluated within it. */
async function until(page: Page, expression: string): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  while (!(await page.evaluate<boolean>(expression))) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${patienceMs / 1_000} s: ${expression}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Of a browser that has never been there. */
async function firstPaintMs(browser: Browser, url: string): Promise<number> {
  const { page } = await browser.open(url);
  const painted = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime";
  await until(page, `${painted} !== undefined`);
  const ms = await page.evaluate<number>(painted);
  await page.context().close();
  return ms;
}

/** Processor time so far of all Chromium processes that this one has started, ms. */
async function browserCpuMs(): Promise<number> {
  const all = new Map<number, { readonly parent: number; readonly ticks: number }>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    if (line.includes('(chrom')) {
      all.set(Number(name), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
    }
  }
  const isOurs = (pid: number): boolean => {
    const parent = all.get(pid)?.parent;
    return parent !== undefined && (parent === process.pid || isOurs(parent));
  };
  let ticks = 0;
  for (const [pid, one] of all) if (isOurs(pid)) ticks += one.ticks;
  return (ticks / ticksPerSecond) * 1_000;
}
