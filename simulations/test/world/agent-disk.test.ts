import { isShoalError, seededRandom } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { AgentDisk } from '../../src/world/agent-disk.ts';

function aDisk() {
  const clock = new VirtualClock();
  const disk = new AgentDisk(seededRandom(1));
  return { clock, disk, store: disk.open(clock) };
}

const entry = (id: number) => ({
  id,
  kind: 'task-outcome' as const,
  statement: new Uint8Array(10),
  payload: new Uint8Array(),
});

describe('the disk of a simulated device', () => {
  it('that is full takes nothing and says so', async () => {
    const { clock, disk, store } = aDisk();
    disk.state = 'full';
    await expect(clock.until(store.outbox.append([entry(1)]))).rejects.toMatchObject({ code: 'io.disk-full' });
    expect(disk.outboxBytes).toBe(0);
    disk.mend();
    await clock.until(store.outbox.append([entry(1)]));
    expect(disk.outboxBytes).toBe(10);
  });

  it('that is torn fails now and then, and what failed is there or not', async () => {
    const { clock, disk, store } = aDisk();
    disk.state = 'torn';
    const seen = { done: 0, failed: 0, failedAndDone: 0 };
    for (let id = 1; id <= 200; id++) {
      const before = disk.outboxBytes;
      const failed = await clock.until(store.outbox.append([entry(id)])).then(
        () => false,
        (error) => isShoalError(error, 'io.failed'),
      );
      if (!failed) seen.done += 1;
      else if (disk.outboxBytes > before) seen.failedAndDone += 1;
      else seen.failed += 1;
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
  });

  it('in a crash has done the first of what was under way, and not the rest', async () => {
    const kept = new Set<number>();
    for (let seed = 1; seed <= 100; seed++) {
      const clock = new VirtualClock();
      const disk = new AgentDisk(seededRandom(seed));
      const store = disk.open(clock);
      for (const id of [1, 2, 3]) void store.outbox.append([entry(id)]);
      disk.crash();
      const left = await disk.open(clock).outbox.read(0, 10);
      expect(left.map(({ id }) => id)).toEqual([1, 2, 3].slice(0, left.length));
      kept.add(left.length);
    }
    expect(kept.size).toBe(4);
  });
});
