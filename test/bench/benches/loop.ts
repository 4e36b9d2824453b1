import { once } from 'node:events';
import { join } from 'node:path';
import type { Child } from '../../support/child.ts';
import { Fleet } from '../../support/fleet.ts';
import { analysePhoto, hasPhotos } from '../../support/photos.ts';
import { absoluteFigure, type Bench } from '../harness.ts';

const seconds = 20;
const lanes = 8;

interface LoopDelay {
  readonly maxMs: number;
  readonly p99Ms: number;
}

export const loop: Bench = {
  name: 'loop',
  title: 'how long the event loops of agent and coordinator are blocked while inference runs as fast as it can',
  missing: async () => ((await hasPhotos()) ? undefined : 'there are no pictures in ../shared/data/photos'),
  async run(report) {
    const probe = join(import.meta.dirname, '../processes/loop-probe.mjs');
    await using fleet = await Fleet.start({ agents: 1, nodeArgs: ['--import', probe] });
    const [agent] = fleet.agents;
    if (!agent) throw new Error('the fleet has no agent');
    await fleet.untilMeasured();
    // The first picture loads the engine and the model; starting up is not what is measured.
    await analysePhoto(fleet, 'efficientdet-lite0');
    await Promise.all([loopDelay(agent), loopDelay(fleet.coordinator)]);
    let pictures = 0;
    const endMs = performance.now() + seconds * 1000;
    const lane = async () => {
      while (performance.now() < endMs) {
        await analysePhoto(fleet, 'efficientdet-lite0');
        pictures += 1;
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    const [agentDelay, coordinatorDelay] = await Promise.all([loopDelay(agent), loopDelay(fleet.coordinator)]);
    report.line(
      `${pictures} pictures in ${seconds} s, ${lanes} at a time; p99 agent ${agentDelay.p99Ms} ms, coordinator ${coordinatorDelay.p99Ms} ms`,
    );
    return [
      absoluteFigure('agent, longest block', 'ms', agentDelay.maxMs, { atMost: 20 }),
      absoluteFigure('coordinator, longest block', 'ms', coordinatorDelay.maxMs, { atMost: 20 }),
    ];
  },
};

async function loopDelay(child: Child): Promise<LoopDelay> {
  const answer = once(child.process, 'message');
  child.process.send('loop');
  const [delay] = await answer;
  return delay as LoopDelay;
}
