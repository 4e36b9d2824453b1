import { ShoalError } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { MemoryDisk, MemoryStore } from '../../src/store/index.ts';
import { aTask } from '../support/builders.ts';
import { never, storeConformance } from './store.conformance.ts';

storeConformance('memory', () => {
  const disk = new MemoryDisk();
  return {
    async open(clock) {
      const store = new MemoryStore(clock, disk);
      await store.start(never);
      return store;
    },
    async crash(store) {
      (store as MemoryStore).crash();
    },
  };
});

describe('a memory store with a slow or full disk', () => {
  it('gathers what arrives while a write runs into the next one', async () => {
    const clock = new VirtualClock();
    const store = new MemoryStore(clock, new MemoryDisk(), { writeMs: 10 });
    const first = store.commit([{ kind: 'task', task: aTask({ id: 'tsk_a' }) }]);
    await clock.advance(5);
    const rest = Array.from({ length: 20 }, (_, n) =>
      store.commit([{ kind: 'task', task: aTask({ id: `tsk_${n}` }) }]),
    );
    await clock.until(Promise.all([first, ...rest]));
    expect(store.counts.commits).toBe(2);
  });

  it('tells everyone whose changes did not fit, and writes deferred ones when there is room again', async () => {
    const clock = new VirtualClock();
    const disk = new MemoryDisk();
    const store = new MemoryStore(clock, disk);
    disk.failure = new ShoalError('io.disk-full', 'full');
    store.defer({ kind: 'task', task: aTask({ id: 'tsk_deferred' }) });
    store.sequences.recordReceived('dev_a', 9);
    const commits = [1, 2].map((n) => store.commit([{ kind: 'task', task: aTask({ id: `tsk_${n}` }) }]));
    const outcomes = await clock.until(Promise.allSettled(commits));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'io.disk-full' } });
    disk.failure = undefined;
    await clock.advance(1_000);
    expect([...disk.tasks.keys()]).toEqual(['tsk_deferred']);
    expect(disk.received.get('dev_a')).toBe(9);
  });

  it('refuses more commits than may wait', async () => {
    const clock = new VirtualClock();
    const store = new MemoryStore(clock, new MemoryDisk());
    const commits = Array.from({ length: 100_000 }, () => store.commit([]));
    await expect(store.commit([])).rejects.toMatchObject({ code: 'queue.full' });
    await clock.until(Promise.all(commits));
  });
});
