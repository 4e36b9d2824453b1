import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatRegression, parseRegression, randomRun, replay, type Script, shrink, sortOf } from '@shoal/simulations';
import { describe, expect, it } from 'vitest';
import { planted } from './planted-defects.ts';

const folder = join(import.meta.dirname, '../../regressions');
const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));

describe('a life that is told by its operations', () => {
  it('is the same to the byte when it is lived again from a file', async () => {
    const first = await randomRun(11);
    const file = formatRegression({ once: 'nothing', commit: 'none', script: first.script });
    const again = await replay(parseRegression(file).script);
    expect(again.traceDigest).toBe(first.traceDigest);
    expect(again.script).toEqual(first.script);
  });

  it('is shrunk to the few operations that a planted bug needs, and they are harmless without it', async () => {
    const { parts, shows } = planted['a device forgets which sequences it has used'];
    const found = await firstBroken(parts, 20);
    const sort = sortOf(found.broken[0] ?? '');
    expect(found.broken[0]).toMatch(shows);
    const breaks = async (script: Script) =>
      (await replay(script, parts())).broken.some((what) => sortOf(what) === sort);
    const shrunk = await shrink(found.script, breaks, 60);
    expect(shrunk.steps.length).toBeLessThanOrEqual(6);
    expect(await breaks(shrunk)).toBe(true);
    expect((await replay(shrunk)).broken).toEqual([]);
  });

  it.for(files)('keeps its promises in %s, which once broke one', async (name) => {
    const { script, once } = parseRegression(await readFile(join(folder, name), 'utf8'));
    expect({ once, broken: (await replay(script)).broken }).toEqual({ once, broken: [] });
  });

  it.for([
    ['[]', /the file must be an object/],
    ['{', /is a JSON file/],
    ['{"once":"x","commit":"y","seed":-1,"endMs":0,"steps":[]}', /seed must be a whole number/],
    ['{"once":"x","commit":"y","seed":1,"endMs":0,"steps":[{"atMs":1}]}', /steps\[0\].operation must be/],
    ['{"once":"x","commit":"y","seed":1,"endMs":0,"steps":[{"atMs":-1,"operation":"x","seed":1}]}', /steps\[0\].atMs/],
  ] as const)('is refused as %s with what is wrong', ([text, message]) => {
    expect(() => parseRegression(text)).toThrow(message);
  });
});

/** The first life of more operations than this that breaks a promise. */
async function firstBroken(parts: () => Parameters<typeof randomRun>[1], operations: number) {
  for (let seed = 1; seed <= 40; seed++) {
    const report = await randomRun(seed, parts());
    if (report.broken.length > 0 && report.script.steps.length > operations) return report;
  }
  throw new Error('the planted bug was not found');
}
