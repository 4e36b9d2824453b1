import { hash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger as logger } from '@shoal/protocol';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { createOnnxEngine } from '../../src/engine/index.ts';
import { makerOf, PreparedModel } from '../../src/engine/onnx/prepared-model.ts';
import { engineConformance } from './conformance.ts';
import { aClassifier, aDetector, aFrame, aScene } from './tiny-models.ts';

const never = new AbortController().signal;
const scene = aScene([{ anchor: 0, codes: [0, 5, 0, 0], classIndex: 2, logit: 40 }]);

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-prepared-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What a fresh engine sees with the model, keeping what it prepares in the folder. */
async function seen(preparedDirectory: string, model = aDetector()) {
  const engine = createOnnxEngine({ logger }, { preparedDirectory });
  try {
    const loaded = await engine.load(model, never);
    return (await loaded.infer(aFrame(scene, 10), { minScore: 0 }, never)).output;
  } finally {
    await engine.dispose();
  }
}

/** The runtime does not write the same bytes each time, so a prepared model is known by its own digest, not by what an earlier one held. */
async function expectOneWhole(folder: string): Promise<void> {
  const names = await readdir(folder);
  expect(names).toHaveLength(1);
  const [name = ''] = names;
  expect(name).toContain(`-${hash('sha256', await readFile(join(folder, name)))}.ort`);
}

const shared = join(tmpdir(), `shoal-prepared-${process.pid}`);
afterAll(() => rm(shared, { recursive: true, force: true }));
engineConformance('the onnx engine with prepared models', ({ queueLimit }) =>
  createOnnxEngine({ logger }, { queueLimit, preparedDirectory: shared }),
);

describe('a prepared model', () => {
  it('is made by the first load and gives what the model gives', async () => {
    const folder = await aFolder();
    const [plain, first] = [await seen(await aFolder()), await seen(folder)];
    const [file] = await readdir(folder);
    expect(file).toMatch(new RegExp(`^${aDetector().variant.sha256}-[0-9a-f]{16}-[0-9a-f]{64}\\.ort$`));
    expect(await seen(folder)).toEqual(first);
    expect(first).toEqual(plain);
    expect(await readdir(folder)).toEqual([file]);
  });

  it('is what the second load takes: one that says something else is seen to', async () => {
    const folder = await aFolder();
    const detector = aDetector();
    await seen(folder, aClassifier());
    const [other = ''] = await readdir(folder);
    // The classifier under the detector's name, with its own digest: nothing but its maker could have done that.
    await writeFile(
      join(folder, other.replace(/^[0-9a-f]{64}/, detector.variant.sha256)),
      await readFile(join(folder, other)),
    );
    await expect(seen(folder, detector)).rejects.toMatchObject({ code: 'model.manifest' });
  });

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, 100)],
    ['changed in one bit', (bytes: Buffer) => Buffer.from(bytes).fill((bytes[200] ?? 0) ^ 1, 200, 201)],
  ])('is made anew when it was %s', async (_, damage) => {
    const folder = await aFolder();
    const first = await seen(folder);
    const [name = ''] = await readdir(folder);
    await writeFile(join(folder, name), damage(await readFile(join(folder, name))));
    expect(await seen(folder)).toEqual(first);
    await expectOneWhole(folder);
  });

  it('takes the place of all that was prepared of the same model before, and of no other', async () => {
    const folder = await aFolder();
    const { sha256 } = aDetector().variant;
    const [old, foreign] = [`${sha256}-0123456789abcdef-${'0'.repeat(64)}.ort`, `${'1'.repeat(64)}-x.ort`];
    for (const name of [old, foreign, `${sha256}-1-0.making`])
      await writeFile(join(folder, name), 'of another runtime');
    await seen(folder);
    const names = await readdir(folder);
    expect(names).toHaveLength(2);
    expect(names).toContain(foreign);
    expect(names).not.toContain(old);
  });

  it('is done without where none can be written', async () => {
    const folder = await aFolder();
    const file = join(folder, 'file');
    await writeFile(file, 'not a folder');
    expect(await seen(file)).toEqual(await seen(folder));
  });

  it('that the runtime refuses is forgotten', async () => {
    const folder = await aFolder();
    const model = aDetector();
    const first = await seen(folder);
    const [name = ''] = await readdir(folder);
    const maker = await makerOf(await runtimeVersion());
    await rm(join(folder, name));
    const junk = new PreparedModel(folder, model.variant, maker);
    await mkdir(folder, { recursive: true });
    await writeFile(junk.temporaryPath, 'no model, under its own digest');
    await junk.keep();
    const [refused = ''] = await readdir(folder);
    expect(await junk.read()).toBeDefined();
    expect(await seen(folder)).toEqual(first);
    expect(await readdir(folder)).not.toContain(refused);
    await expectOneWhole(folder);
  });
});

async function runtimeVersion(): Promise<string> {
  const engine = createOnnxEngine({ logger });
  const { version } = await engine.capabilities(never);
  await engine.dispose();
  return version;
}
