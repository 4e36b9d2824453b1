import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { silentLogger } from '@shoal/protocol';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createOnnxEngine } from '../../src/engine/index.ts';
import { engineConformance } from './conformance.ts';
import { aClassifier, aDetector, aFrame, aScene, loadable, side } from './tiny-models.ts';

const never = new AbortController().signal;
const logger = silentLogger;

engineConformance('the onnx engine', ({ queueLimit }) => createOnnxEngine({ logger }, { queueLimit }));

describe('the onnx engine', () => {
  const engine = createOnnxEngine({ logger }, { workers: 2 });
  // While a model is held, the threads and the runtime in them stay.
  beforeAll(async () => void (await engine.load(aClassifier(), never)));
  afterAll(() => engine.dispose());

  it('puts a detection where the anchor and its codes say, in pixels of the source picture', async () => {
    const model = await engine.load(aDetector(), never);
    const scene = aScene([
      // Anchor 0: the top left cell of 2 x 2. Moved right by half its width.
      { anchor: 0, codes: [0, 5, 0, 0], classIndex: 2, logit: 40 },
      // The class without a name is never reported.
      { anchor: 3, classIndex: 1, logit: 100 },
    ]);
    const { output } = await model.infer(aFrame(scene, 10), {}, never);
    expect(output.kind === 'detections' && output.detections).toMatchObject([
      { label: 'dog', classIndex: 2, box: { x: 20, y: 0, width: 40, height: 40 } },
    ]);
    expect(output.kind === 'detections' && output.detections[0]?.score).toBeCloseTo(1 / (1 + Math.exp(-4)), 5);
    await model.release();
  });

  it('writes the input in the layout and with the numbers that the manifest asks for', async () => {
    const model = await engine.load(aClassifier(), never);
    const pixels = Array.from({ length: side * side }, () => [51, 102, 204]).flat();
    const { output } = await model.infer(aFrame(pixels), { minScore: 0.3 }, never);
    expect(output.kind === 'classes' && output.classes.map(({ label }) => label)).toEqual(['blue', 'green']);
    expect(output.kind === 'classes' && output.classes[0]?.score).toBeCloseTo(0.8, 5);
    await model.release();
  });

  it('refuses a file that is not the one it should be', async () => {
    const model = aDetector();
    const altered = { ...model, variant: { ...model.variant, sha256: '0'.repeat(64) } };
    await expect(engine.load(altered, never)).rejects.toMatchObject({ code: 'model.digest' });
  });

  it('refuses a file that is no model, and one that is not there', async () => {
    const junk = loadable(new TextEncoder().encode('not a model'), {});
    await expect(engine.load(junk, never)).rejects.toMatchObject({ code: 'engine.unavailable' });
    const missing = { ...junk, path: join(tmpdir(), 'no-such-model.onnx') };
    await expect(engine.load(missing, never)).rejects.toMatchObject({ code: 'io.failed' });
  });

  it('refuses a manifest that the file does not fit, and says what the file takes', async () => {
    const model = aDetector({ input: { ...aDetector().manifest.input, width: 16 } });
    const loading = engine.load(model, never);
    await expect(loading).rejects.toMatchObject({ code: 'model.manifest' });
    await expect(loading).rejects.toThrow(/1x8x16x3.*1x8x8x3/s);
  });

  it('goes on after a model was refused', async () => {
    const model = await engine.load(aDetector(), never);
    await expect(model.infer(aFrame(aScene([])), {}, never)).resolves.toMatchObject({ output: { detections: [] } });
    await model.release();
  });
});

describe('the probe', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-probe-'));
  const script = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return pathToFileURL(path);
  };

  it('takes an illegal instruction instead of this process, once, and says so', async () => {
    const calls = join(folder, 'calls');
    const probe = script(
      'dies.mjs',
      `import fs from 'node:fs'; fs.appendFileSync(${JSON.stringify(calls)}, 'x'); process.kill(process.pid, 'SIGILL'); await new Promise((r) => setTimeout(r, 5000));`,
    );
    const engine = createOnnxEngine({ logger }, { probe });
    await expect(engine.load(aDetector(), never)).rejects.toMatchObject({ code: 'engine.unavailable' });
    await expect(engine.capabilities(never)).rejects.toThrow(/SIGILL/);
    expect(readFileSync(calls, 'utf8')).toBe('x');
    await engine.dispose();
  });

  it('says what the runtime said when it cannot be loaded', async () => {
    const probe = script('throws.mjs', `throw new Error('libonnxruntime.so.1: cannot open shared object file');`);
    const engine = createOnnxEngine({ logger }, { probe });
    await expect(engine.capabilities(never)).rejects.toThrow(/cannot open shared object file/);
    await engine.dispose();
  });

  it('is ended when the engine is stopped', async () => {
    const probe = script('hangs.mjs', 'setInterval(() => {}, 1000);');
    const engine = createOnnxEngine({ logger }, { probe });
    const loading = expect(engine.load(aDetector(), never)).rejects.toMatchObject({ code: 'closed' });
    await engine.dispose();
    await loading;
  });
});

describe('a process that ends in the middle of an inference', () => {
  it('ends as it wanted to', async () => {
    const child = join(import.meta.dirname, 'exits-in-the-middle.ts');
    for (const afterMs of [0, 20, 60]) {
      const ended = promisify(execFile)(process.execPath, ['--conditions=source', child, `${afterMs}`]);
      await expect(ended).resolves.toMatchObject({ stdout: 'running', stderr: '' });
    }
  });
});

describe('a process that runs a model', () => {
  it('leaves nothing in the home of its user: the runtime collects no events, and no id of the machine, for its maker', async () => {
    const home = mkdtempSync(join(tmpdir(), 'shoal-home-'));
    const prepared = mkdtempSync(join(tmpdir(), 'shoal-prepared-'));
    onTestFinished(() => {
      for (const folder of [home, prepared]) rmSync(folder, { recursive: true, force: true });
    });
    const child = join(import.meta.dirname, 'infers-once.ts');
    // Nothing else of this environment: at CI the runtime collects nothing by itself.
    const env = { HOME: home };
    const ended = promisify(execFile)(process.execPath, ['--conditions=source', child, prepared], { env });
    await expect(ended).resolves.toMatchObject({ stdout: 'done' });
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('a process that only imports the door', () => {
  it('has loaded neither the runtime nor the picture library', async () => {
    const door = new URL('../../src/index.ts', import.meta.url).href;
    const code = `const m = await import(${JSON.stringify(door)}); m.createOnnxEngine({ logger: undefined });
      process.stdout.write((await import('node:fs')).readFileSync('/proc/self/maps', 'utf8'));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=source', '--input-type=module', '-e', code],
      { maxBuffer: 1 << 24 },
    );
    expect(stdout).toContain('libc');
    expect(stdout).not.toMatch(/onnxruntime|libvips|sharp/);
  });
});
