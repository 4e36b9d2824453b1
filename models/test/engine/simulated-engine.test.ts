import { systemClock } from '@shoal/protocol/real';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { createSimulatedEngine } from '../../src/engine/index.ts';
import { engineConformance } from './conformance.ts';
import { aDetector, aFrame } from './tiny-models.ts';

const never = new AbortController().signal;

engineConformance('the simulated engine', ({ queueLimit }) =>
  createSimulatedEngine({ clock: systemClock }, { concurrency: 1, queueLimit, loadMs: () => 1, inferenceMs: () => 2 }),
);

describe('the simulated engine', () => {
  it('takes the time it is told, in virtual time', async () => {
    const clock = new VirtualClock();
    const engine = createSimulatedEngine(
      { clock },
      { concurrency: 2, queueLimit: 10, loadMs: () => 90, inferenceMs: () => 40 },
    );
    const model = await clock.until(engine.load(aDetector(), never));
    expect(model.loadMs).toBe(90);
    expect(clock.monotonicMs()).toBe(90);
    // Five runs, two at a time: three rounds of 40 ms.
    await clock.until(Promise.all(Array.from({ length: 5 }, () => model.infer(aFrame(), {}, never))));
    expect(clock.monotonicMs()).toBe(90 + 120);
    expect(clock.pending()).toEqual([]);
  });

  it('leaves no timer behind when it is disposed of in the middle of a run', async () => {
    const clock = new VirtualClock();
    const engine = createSimulatedEngine(
      { clock },
      { concurrency: 1, queueLimit: 1, loadMs: () => 0, inferenceMs: () => 40 },
    );
    const model = await clock.until(engine.load(aDetector(), never));
    const run = expect(model.infer(aFrame(), {}, never)).rejects.toMatchObject({ code: 'closed' });
    await clock.advance(10);
    await engine.dispose();
    await run;
    expect(clock.pending()).toEqual([]);
  });
});
