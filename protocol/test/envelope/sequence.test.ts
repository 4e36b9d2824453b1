import { SequenceSource, type SequenceStore, ShoalError } from '@shoal/protocol';
import { MemorySequenceStore } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';

const take = async (source: SequenceSource, count: number) => {
  const taken: number[] = [];
  for (let i = 0; i < count; i++) taken.push(await source.next());
  return taken;
};

class CountingStore extends MemorySequenceStore {
  reservations = 0;
  failures = 0;

  override async reserve(count: number): Promise<number> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new ShoalError('io.disk-full', 'no space');
    }
    this.reservations += 1;
    return super.reserve(count);
  }
}

describe('a source of sequences', () => {
  it('starts at 1 and counts up without a gap, over the ends of blocks', async () => {
    const source = new SequenceSource(new CountingStore(), 3);
    expect(await take(source, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('writes once for a whole block', async () => {
    const store = new CountingStore();
    await take(new SequenceSource(store, 100), 250);
    expect(store.reservations).toBe(3);
  });

  it('never gives one out again after a restart', async () => {
    const store = new CountingStore();
    const before = await take(new SequenceSource(store, 10), 4);
    const after = await take(new SequenceSource(store, 10), 4);
    expect(Math.min(...after)).toBeGreaterThan(Math.max(...before));
  });

  it('gives each of many who wait for one block a sequence of its own', async () => {
    const source = new SequenceSource(new CountingStore(), 10);
    const taken = await Promise.all(Array.from({ length: 1000 }, () => source.next()));
    expect(new Set(taken).size).toBe(1000);
    expect(Math.max(...taken)).toBe(1000);
  });

  it('asks the store again after it failed', async () => {
    const store = new CountingStore();
    store.failures = 1;
    const source = new SequenceSource(store, 10);
    await expect(source.next()).rejects.toMatchObject({ code: 'io.disk-full' });
    expect(await source.next()).toBe(1);
  });

  it('reserves once for all who ask at the same time', async () => {
    const held = Promise.withResolvers<number>();
    let asked = 0;
    const store: SequenceStore = {
      reserve: () => {
        asked += 1;
        return held.promise;
      },
      lastReceived: () => 0,
      recordReceived: () => {},
    };
    const source = new SequenceSource(store, 10);
    const both = Promise.all([source.next(), source.next()]);
    held.resolve(41);
    expect(await both).toEqual([41, 42]);
    expect(asked).toBe(1);
  });
});
