import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { VirtualClock } from '@shoal/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { layoutOf } from '../../src/service/index.ts';
import { serviceManager } from '../../src/service/real/control.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The service of a phone whose agent does not end when it is told to. */
async function aStubbornAgent(signal: AbortSignal) {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-termux-'));
  closers.push(() => rm(folder, { recursive: true }));
  const agent = spawn('sh', ['-c', 'trap "" TERM; echo up; while :; do sleep 1; done'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  closers.push(() => agent.kill('SIGKILL'));
  await once(agent.stdout, 'data');
  const layout = layoutOf('termux', folder);
  await mkdir(layout.home, { recursive: true });
  await writeFile(join(layout.home, 'agent.pid'), String(agent.pid));
  const clock = new VirtualClock();
  return { clock, agent, manager: serviceManager(layout, { at: (path) => path, clock, signal }) };
}

const isLooking = async (clock: VirtualClock) => {
  while (!clock.pending().includes('service/stop')) await turn();
};

describe('the service of a phone', () => {
  it('gives up an agent that does not end within a minute, with its process', async () => {
    const { clock, agent, manager } = await aStubbornAgent(new AbortController().signal);
    const stopping = manager.disable();
    stopping.catch(() => {});
    let over = false;
    void stopping
      .finally(() => {
        over = true;
      })
      .catch(() => {});
    while (!over) {
      if (clock.pending().includes('service/stop')) await clock.advance(5_000);
      else await turn();
    }
    await expect(stopping).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining(`${agent.pid}`) });
    expect(clock.monotonicMs()).toBeLessThan(70_000);
  });

  it('stops waiting for it when it is told to', async () => {
    const told = new AbortController();
    const { clock, manager } = await aStubbornAgent(told.signal);
    const stopping = manager.disable();
    stopping.catch(() => {});
    await isLooking(clock);
    told.abort(new Error('enough'));
    await expect(stopping).rejects.toThrow('enough');
  });
});
