import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const bin = join(import.meta.dirname, '../../bin/shoal-sim.js');

function shoalSim(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...words], (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-sim-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const flood = `
name: flood
title: More than one board can do
devices: [{ class: pi-3b-plus, count: 1, link: ethernet }]
workloads: [{ name: flood, rate: 50 /s, size: 1 kB, deadline: 1 s }]
`;

const eyes = `
name: eyes
title: More cameras than one board can watch
devices: [{ class: pi-3b-plus, count: 1, link: ethernet }]
cameras: [{ name: door, count: 4, fps: 1, stream: { width: 640, height: 360, fps: 10 } }]
`;

describe('shoal-sim', () => {
  it('runs a fleet, shows how it goes, ends with a table, and writes a page', async () => {
    const page = join(await aFolder(), 'home.html');
    const { code, out, err } = await shoalSim(
      'run',
      'home',
      '--hours',
      '0.02',
      '--strategy',
      'cost,ecore',
      '--out',
      page,
    );
    expect(code).toBe(0);
    expect(out).toMatch(/STRATEGY +DONE +MISSED/);
    expect(out).toMatch(/^cost .*\n^ecore .*\n/m);
    expect(err).toMatch(/home under cost 100%/);
    expect(await readFile(page, 'utf8')).toContain('<svg');
  });

  it('compares strategies over seeds, for programs too', async () => {
    const { code, out } = await shoalSim(
      'compare',
      'home',
      '--strategies',
      'cost,random',
      '--seeds',
      '2',
      '--hours',
      '0.01',
      '--json',
    );
    expect(code).toBe(0);
    const rows = JSON.parse(out) as { strategy: string; figures: { title: string; median: number }[] }[];
    expect(rows.map(({ strategy }) => strategy)).toEqual(['cost', 'random']);
    expect(rows[0]?.figures.map(({ title }) => title)).toContain('MISSED %');
  });

  it('tells of cameras where a fleet has some, and says what to add for them', async () => {
    const file = join(await aFolder(), 'eyes.yaml');
    await writeFile(file, eyes);
    expect((await shoalSim('run', file, '--hours', '0.02')).out).toMatch(/WATCHED +FRAMES +MOVES +LONGEST GAP/);
    const compared = await shoalSim('compare', file, '--strategies', 'cost', '--seeds', '1', '--hours', '0.02');
    expect(compared.out).toMatch(/WATCHED % +FRAMES % +MOVES/);
    const size = ['size', file, '--add', 'pi-3b-plus', '--hours', '0.05'];
    expect((await shoalSim(...size)).out).toMatch(
      /^Add [1-9]\d* pi-3b-plus: .* of the frames of cameras would be analysed/m,
    );
    expect((await shoalSim(...size, '--most', '1')).err).toMatch(/with 1 more pi-3b-plus, only .* of the frames/);
    expect((await shoalSim(...size, '--frames', '5')).out).toMatch(/^Nothing has to be added/m);
  });

  it('says what to add, and fails when nothing helps', async () => {
    const enough = await shoalSim('size', 'home', '--add', 'orin-nano', '--missed', '50', '--hours', '0.01');
    expect(enough).toMatchObject({ code: 0, out: expect.stringContaining('Nothing has to be added') });
    const file = join(await aFolder(), 'flood.yaml');
    await writeFile(file, flood);
    expect(await shoalSim('size', file, '--add', 'pi-3b-plus', '--most', '1', '--hours', '0.01')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/with 1 more pi-3b-plus, .* % are still missed/),
    });
    expect((await shoalSim('size', file, '--add', 'orin-nano', '--hours', '0.01')).out).toMatch(
      /^Add [1-9]\d* orin-nano: /m,
    );
  });

  it('lists classes with their sources, and strategies with when to use them', async () => {
    expect((await shoalSim('classes')).out).toMatch(/pi-4-coral .*derived: /);
    expect((await shoalSim('strategies')).out).toMatch(/^ecore +least energy within 5 points/m);
  });

  it('lives a kept life again, and a fleet of two coordinators', async () => {
    const kept = join(import.meta.dirname, '../../regressions/planted-device-sequences.json');
    expect(await shoalSim('replay', kept)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/it broke: planted, .* used sequence 3 again\nseed 1: .*\nno promise broken/),
    });
    expect(await shoalSim('faults', '3', '1', '--coordinators', '2')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/tasks of two coordinators succeeded, .*\n1 seeds, no promise broken/),
    });
  });

  it.each([
    [['replay', 'nowhere.json'], /nowhere.json cannot be read/],
    [['faults', '3', '1', '--coordinators', '2', '--save'], /--save keeps lives of one coordinator/],
    [['replay', join(import.meta.dirname, 'cli.test.ts')], /a regression is a JSON file; this is none/],
    [['run', 'nowhere.yaml'], /there is no fleet file nowhere.yaml; those that come with Shoal are home, shop, city/],
    [['run', 'home', '--strategy', 'best'], /there is no strategy "best"; known are cost, min-cost-flow/],
    [['run', 'home', '--hours', 'many'], /--hours must be a number from 0.001 to 10000; it is "many"/],
    [['size', 'home', '--add', 'toaster'], /there is no class of devices "toaster"; known are pi-3b-plus/],
    [['fly'], /unknown command/],
  ])('refuses %j with what is wrong', async (words, message) => {
    expect(await shoalSim(...words)).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });
});
