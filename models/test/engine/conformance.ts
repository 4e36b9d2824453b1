import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Engine, LoadableModel } from '../../src/engine/index.ts';
import type { ModelOutput } from '../../src/stages/index.ts';
import { aClassifier, aDetector, aFrame } from './tiny-models.ts';

const never = new AbortController().signal;

/** What every engine does, whatever it runs on. `create` gives one that runs one at a time and lets `queueLimit` wait. */
export function engineConformance(name: string, create: (options: { readonly queueLimit: number }) => Engine): void {
  describe(`${name} behaves as an engine`, () => {
    // One engine for all that leave it as it was. While it holds a model, its threads and the runtime in them stay.
    let engine: Engine;
    beforeAll(async () => {
      engine = create({ queueLimit: 2 });
      await engine.load(aClassifier(), never);
    });
    afterAll(() => engine.dispose());

    const load = async (loadable: LoadableModel) => {
      const model = await engine.load(loadable, never);
      onTestFinished(() => model.release());
      return model;
    };

    it('says what it can do', async () => {
      const capabilities = await engine.capabilities(never);
      expect(capabilities).toMatchObject({ formats: ['onnx'], concurrency: 1, providers: ['cpu'] });
      expect(capabilities.version).toMatch(/\d/);
    });

    it('gives the same output for the same frame, with boxes inside the source picture', async () => {
      const model = await load(aDetector());
      const frame = noise(3, 10);
      const first = await model.infer(frame, { minScore: 0 }, never);
      const second = await model.infer(frame, { minScore: 0 }, never);
      expect(second.output).toEqual(first.output);
      const found = detections(first.output);
      expect(found.length).toBeGreaterThan(0);
      for (const { box, label, score } of found) {
        expect(label).not.toBe('');
        expect(score).toBeGreaterThanOrEqual(0);
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(80.001);
        expect(box.y + box.height).toBeLessThanOrEqual(80.001);
      }
    });

    it('reports no more than was asked for, strongest first', async () => {
      const model = await load(aDetector());
      const frame = noise(3);
      const all = detections((await model.infer(frame, { minScore: 0 }, never)).output);
      expect(all.map(({ score }) => score)).toEqual(all.map(({ score }) => score).toSorted((a, b) => b - a));
      const one = detections((await model.infer(frame, { minScore: 0, maxResults: 1 }, never)).output);
      expect(one).toEqual(all.slice(0, 1));
      const least = all[0]?.score ?? 1;
      const strong = detections((await model.infer(frame, { minScore: least }, never)).output);
      expect(strong.every(({ score }) => score >= least - 1e-6)).toBe(true);
    });

    it('runs two models side by side', async () => {
      const [detector, classifier] = await Promise.all([load(aDetector()), load(aClassifier())]);
      const outputs = await Promise.all([
        detector.infer(noise(1), {}, never),
        classifier.infer(noise(1), {}, never),
        detector.infer(noise(2), {}, never),
      ]);
      expect(outputs.map(({ output }) => output.kind)).toEqual(['detections', 'classes', 'detections']);
      await detector.release();
      expect((await classifier.infer(noise(1), {}, never)).output).toEqual(outputs[1].output);
    });

    it.each([
      ['a frame of another size', { pixels: new Uint8Array(new SharedArrayBuffer(7)) }, {}],
      ['a frame that is not in shared memory', { pixels: new Uint8Array(192) }, {}],
      ['a score above 1', {}, { minScore: 1.5 }],
      ['a score that is not a number', {}, { minScore: Number.NaN }],
      ['half a result', {}, { maxResults: 0.5 }],
    ])('refuses %s', async (_, frame, parameters) => {
      const model = await load(aDetector());
      const asked = model.infer({ ...aFrame(), ...frame }, parameters, never);
      await expect(asked).rejects.toMatchObject({ code: 'input.invalid' });
    });

    it('refuses a run beyond its queue, and takes new ones when it is shorter again', async () => {
      const model = await load(aDetector());
      const [, , , refused] = await Promise.allSettled([1, 2, 3, 4].map((seed) => model.infer(noise(seed), {}, never)));
      expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'queue.full' } });
      await expect(model.infer(noise(4), {}, never)).resolves.toBeDefined();
    });

    it('lets a waiting run leave when its signal fires, and gives its place to another', async () => {
      const model = await load(aDetector());
      const stop = new AbortController();
      const running = model.infer(noise(1), {}, stop.signal);
      const waiting = model.infer(noise(2), {}, stop.signal);
      const last = model.infer(noise(3), {}, never);
      stop.abort();
      const next = model.infer(noise(4), {}, never);
      await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
      // What runs cannot be stopped, and is not lost.
      await expect(Promise.all([running, last, next])).resolves.toHaveLength(3);
    });

    it('does not begin what is aborted already', async () => {
      const gone = AbortSignal.abort();
      await expect(engine.load(aDetector(), gone)).rejects.toMatchObject({ code: 'aborted' });
      const model = await load(aDetector());
      await expect(model.infer(noise(1), {}, gone)).rejects.toMatchObject({ code: 'aborted' });
    });

    it('ends what runs and refuses what waits when a model is released', async () => {
      const model = await load(aDetector());
      const running = model.infer(noise(1), {}, never);
      const waiting = expect(model.infer(noise(2), {}, never)).rejects.toMatchObject({ code: 'closed' });
      let over = false;
      const watched = running.then(() => {
        over = true;
      });
      await model.release();
      await Promise.all([watched, waiting]);
      expect(over).toBe(true);
      await expect(model.infer(noise(1), {}, never)).rejects.toMatchObject({ code: 'closed' });
      await model.release();
    });

    it('fails everything with `closed` when it is disposed of, and loads nothing any more', async () => {
      const ended = create({ queueLimit: 2 });
      const model = await ended.load(aDetector(), never);
      const runs = [1, 2].map((seed) => model.infer(noise(seed), {}, never));
      const settled = Promise.allSettled(runs);
      await ended.dispose();
      for (const run of await settled) expect(run).toMatchObject({ status: 'rejected', reason: { code: 'closed' } });
      await expect(ended.load(aDetector(), never)).rejects.toMatchObject({ code: 'closed' });
      await expect(model.infer(noise(1), {}, never)).rejects.toMatchObject({ code: 'closed' });
      await ended.dispose();
    });
  });
}

function noise(seed: number, scale = 1) {
  return aFrame(
    Uint8Array.from({ length: 192 }, (_, i) => (Math.imul(i + 1, 2654435761 + seed * 97) >>> 13) & 255),
    scale,
  );
}

function detections(output: ModelOutput) {
  return output.kind === 'detections' ? output.detections : [];
}
