import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../../support/child.ts';
import { Fleet } from '../../support/fleet.ts';
import { analysePhoto, hasPhotos } from '../../support/photos.ts';
import { absoluteFigure, type Bench } from '../harness.ts';

const seconds = 20;
const lanes = 8;

interface Blocks {
  readonly maxMs: number;
  readonly p99Ms: number;
}

interface LoopDelay {
  /** Time that passed: also that in which all cores were busy with something else, inference above all. */
  readonly clock: Blocks;
  /** What the loop's thread computed within one turn, and waited for the disk. */
  readonly work: Blocks;
}

export const loop: Bench = {
  name: 'loop',
  title: 'how long the event loops of agent and coordinator are blocked while inference runs as fast as it can',
  async missing() {
    if (!existsSync('/proc/self/schedstat')) return 'only Linux says how long a thread had no core';
    return (await hasPhotos()) ? undefined : 'there are no pictures in ../shared/data/photos';
  },
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
    report.line(`${pictures} pictures in ${seconds} s, ${lanes} at a time`);
    for (const [name, { clock, work }] of Object.entries({ agent: agentDelay, coordinator: coordinatorDelay })) {
      report.line(
        `${name}: a turn took at most ${ms(clock.maxMs)} by the clock (p99 ${ms(clock.p99Ms)}), with the time in which there was no core for it; ${ms(work.maxMs)} of work (p99 ${ms(work.p99Ms)})`,
      );
    }
    return [
      absoluteFigure('agent, most work in one turn', 'ms', agentDelay.work.maxMs, { atMost: 20 }),
      absoluteFigure('coordinator, most work in one turn', 'ms', coordinatorDelay.work.maxMs, { atMost: 20 }),
    ];
  },
};

const ms = (value: number) => `${value.toFixed(1)} ms`;

async function loopDelay(child: Child): Promise<LoopDelay> {
  const answer = once(child.process, 'message');
  child.process.send('loop');
  const [delay] = await answer;
  return delay as LoopDelay;
}
