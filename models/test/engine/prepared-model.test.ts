import { hash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger as logger } from '@shoal/protocol';
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createOnnxEngine } from '../../src/engine/index.ts';
import { makerOf, PreparedModel } from '../../src/engine/onnx/prepared-model.ts';
import { engineConformance } from './conformance.ts';
import { aClassifier, aDetector, aFrame, aScene } from './tiny-models.ts';

const never = new AbortController().signal;
const scene = aScene([{ anchor: 0, codes: [0, 5, 0, 0], classIndex: 2, logit: 40 }]);

const parent = await mkdtemp(join(tmpdir(), 'shoal-prepared-'));
const folder = join(parent, 'prepared');
const engine = createOnnxEngine({ logger }, { preparedDirectory: folder });
beforeEach(() => rm(folder, { recursive: true, force: true }));
afterAll(async () => {
  await engine.dispose();
  await rm(parent, { recursive: true });
});

/** What an engine that holds no other model, and so has no thread yet, sees with this one. */
async function seen(model = aDetector(), by = engine) {
  const loaded = await by.load(model, never);
  try {
    return (await loaded.infer(aFrame(scene, 10), { minScore: 0 }, never)).output;
  } finally {
    await loaded.release();
  }
}

/** As {@link seen}, by an engine that keeps what it prepares elsewhere, or prepares nothing. */
async function seenBy(options: Parameters<typeof createOnnxEngine>[1]) {
  const other = createOnnxEngine({ logger }, options);
  onTestFinished(() => other.dispose());
  return await seen(aDetector(), other);
}

/** The runtime does not write the same bytes each time, so a prepared model is known by its own digest, not by what an earlier one held. */
async function expectOneWhole(): Promise<void> {
  const names = await readdir(folder);
  expect(names).toHaveLength(1);
  const [name = ''] = names;
  expect(name).toContain(`-${hash('sha256', await readFile(join(folder, name)))}.ort`);
}

engineConformance('the onnx engine with prepared models', ({ queueLimit }) =>
  createOnnxEngine({ logger }, { queueLimit, preparedDirectory: join(parent, 'conformance') }),
);

describe('a prepared model', () => {
  it('is made by the first load and gives what the model gives', async () => {
    const [plain, first] = [await seenBy({}), await seen()];
    const [file] = await readdir(folder);
    expect(file).toMatch(new RegExp(`^${aDetector().variant.sha256}-[0-9a-f]{16}-[0-9a-f]{64}\\.ort$`));
    expect(await seen()).toEqual(first);
    expect(first).toEqual(plain);
    expect(await readdir(folder)).toEqual([file]);
  });

  it('is what the second load takes: one that says something else is seen to', async () => {
    const detector = aDetector();
    await seen(aClassifier());
    const [other = ''] = await readdir(folder);
    // The classifier under the detector's name, with its own digest: nothing but its maker could have done that.
    await writeFile(
      join(folder, other.replace(/^[0-9a-f]{64}/, detector.variant.sha256)),
      await readFile(join(folder, other)),
    );
    await expect(seen(detector)).rejects.toMatchObject({ code: 'model.manifest' });
  });

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, 100)],
    ['changed in one bit', (bytes: Buffer) => Buffer.from(bytes).fill((bytes[200] ?? 0) ^ 1, 200, 201)],
  ])('is made anew when it was %s', async (_, damage) => {
    const first = await seen();
    const [name = ''] = await readdir(folder);
    await writeFile(join(folder, name), damage(await readFile(join(folder, name))));
    expect(await seen()).toEqual(first);
    await expectOneWhole();
  });

  it('takes the place of all that was prepared of the same model before, not of what others are making, and of no other model', async () => {
    await mkdir(folder);
    const { sha256 } = aDetector().variant;
    const othersHalf = `${sha256}-${process.ppid}-0.making`;
    const [old, foreign] = [`${sha256}-0123456789abcdef-${'0'.repeat(64)}.ort`, `${'1'.repeat(64)}-x.ort`];
    // What a process that is gone left half written, and what one that lives is just writing.
    for (const name of [old, foreign, othersHalf, `${sha256}-99999999-0.making`])
      await writeFile(join(folder, name), 'of another runtime');
    await seen();
    const names = await readdir(folder);
    expect(names).toHaveLength(3);
    expect(names).toEqual(expect.arrayContaining([foreign, othersHalf]));
    expect(names).not.toContain(old);
  });

  it('is done without where none can be written', async () => {
    const file = join(parent, 'file');
    await writeFile(file, 'not a folder');
    expect(await seenBy({ preparedDirectory: file })).toEqual(await seen());
  });

  it('that the runtime refuses is forgotten', async () => {
    const model = aDetector();
    const first = await seen();
    const [name = ''] = await readdir(folder);
    const maker = await makerOf((await engine.capabilities(never)).version);
    await rm(join(folder, name));
    const junk = new PreparedModel(folder, model.variant, maker);
    await junk.make((path) => writeFile(path, 'no model, under its own digest'));
    const [refused = ''] = await readdir(folder);
    expect(await junk.read()).toBeDefined();
    expect(await seen()).toEqual(first);
    expect(await readdir(folder)).not.toContain(refused);
    await expectOneWhole();
  });
});
