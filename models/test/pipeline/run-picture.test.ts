import { silentLogger } from '@shoal/protocol';
import { systemClock } from '@shoal/protocol/real';
import { VirtualClock } from '@shoal/protocol/testing';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { FramePool, PictureDecoder } from '../../src/decode/index.ts';
import { createOnnxEngine, createSimulatedEngine } from '../../src/engine/index.ts';
import { runFrame, runPicture } from '../../src/pipeline/index.ts';
import { aDetector, aFrame, aScene, side } from '../engine/tiny-models.ts';

const never = new AbortController().signal;
const engine = createOnnxEngine({ logger: silentLogger });
afterAll(() => engine.dispose());

/** A dog in the upper left quarter, as pixels of the detector's own size. */
const pixels = new Uint8Array(side * side * 3);
pixels.set(aScene([{ anchor: 0, classIndex: 2, logit: 40 }]));
const dog = { label: 'dog', box: { x: 0, y: 0, width: 4, height: 4 } };

class CountingPool extends FramePool {
  out = 0;
  override take(sizeBytes: number) {
    this.out += 1;
    return super.take(sizeBytes);
  }
  override give(frame: { readonly pixels: Uint8Array }) {
    this.out -= 1;
    super.give(frame);
  }
}

describe('a picture through the pipeline', () => {
  const frames = new CountingPool(2);
  const deps = { clock: systemClock, frames, decoder: new PictureDecoder({ frames }) };

  it('gives the same from a file, from RGB pixels and from a ready frame, and says what took how long', async () => {
    const model = await engine.load(aDetector(), never);
    const file = await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toBuffer();
    const results = [
      await runPicture(deps, model, file, {}, never),
      await runPicture(deps, model, { pixels, width: side, height: side }, {}, never),
      await runFrame(deps, model, aFrame(pixels), {}, never),
    ];
    for (const { output, width, height, timings } of results) {
      expect(output).toMatchObject({ kind: 'detections', detections: [dog] });
      expect([width, height]).toEqual([side, side]);
      const parts = timings.decodeMs + timings.waitMs + timings.inferenceMs + timings.headMs;
      expect(Math.abs(parts - timings.totalMs)).toBeLessThan(0.01);
    }
    expect(results[2]?.timings.decodeMs).toBe(0);
    expect(frames.out).toBe(0);
    await model.release();
  });

  it('finds a thing where it is in the source picture, not in the scaled one', async () => {
    const model = await engine.load(aDetector(), never);
    const { output, width } = await runFrame(deps, model, aFrame(pixels, 100), {}, never);
    expect(width).toBe(800);
    expect(output).toMatchObject({ detections: [{ box: { x: 0, y: 0, width: 400, height: 400 } }] });
    await model.release();
  });

  it('gives its frame back when the engine refuses', async () => {
    const model = await engine.load(aDetector(), never);
    await model.release();
    const refused = runPicture(deps, model, { pixels, width: side, height: side }, {}, never);
    await expect(refused).rejects.toMatchObject({ code: 'closed' });
    expect(frames.out).toBe(0);
  });

  it('counts the wait for a busy engine apart from the inference', async () => {
    const clock = new VirtualClock();
    const simulated = createSimulatedEngine(
      { clock },
      { concurrency: 1, queueLimit: 4, loadMs: () => 0, inferenceMs: () => 40 },
    );
    const model = await clock.until(simulated.load(aDetector(), never));
    const runs = [1, 2, 3].map(() => runFrame({ clock }, model, aFrame(pixels), {}, never));
    const results = await clock.until(Promise.all(runs));
    expect(results.map(({ timings }) => timings.waitMs)).toEqual([0, 40, 80]);
    expect(results.map(({ timings }) => timings.inferenceMs)).toEqual([40, 40, 40]);
  });
});
