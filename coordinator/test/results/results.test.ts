import { verifyBundle } from '@shoal/protocol';
import { describe, expect, it } from 'vitest';
import { ResultShelf } from '../../src/results/index.ts';
import { aReport, aSpec } from '../support/builders.ts';
import { aWorld } from '../support/world.ts';

const emptyStore = {
  resultOfTask: async () => undefined,
  resultOfCamera: async () => undefined,
  resultsOfCamera: async () => ({ items: [] }),
};

describe('a result', () => {
  it('comes with a file that proves it offline, and not with one bit flipped', async () => {
    const world = await aWorld();
    const device = await world.joined();
    const task = await world.clock.until(world.coordinator.tasks.submit(aSpec()));
    await world.ended(task.id);
    const record = await world.coordinator.results.ofTask(task.id);
    const file = world.coordinator.results.bundle(record);
    expect(verifyBundle(file)).toMatchObject({
      device: { id: device.id },
      statement: { predicate: { pipeline: 'noop' } },
    });
    const flipped = Uint8Array.from(file);
    const at = flipped.length >> 1;
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    expect(() => verifyBundle(flipped)).toThrow(expect.objectContaining({ code: 'attestation.invalid' }));
  });

  it('cannot be proven once its device is unknown', async () => {
    const shelf = new ResultShelf({
      store: emptyStore,
      peers: { keyOf: () => undefined },
    });
    expect(() => shelf.bundle(aReport(1))).toThrow(expect.objectContaining({ code: 'not-found' }));
    await expect(shelf.ofTask('tsk_none')).rejects.toMatchObject({ code: 'not-found' });
    await expect(shelf.oneOfCamera('cam_1', 'res_none')).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('whoever follows results', () => {
  const empty = { schema: 1, pipeline: 'detect', kind: 'empty' } as const;
  const aShelf = () =>
    new ResultShelf({
      store: emptyStore,
      peers: { keyOf: () => undefined },
    });

  it('loses the oldest when too slow, never the newest, and holds no more than the limit', async () => {
    const shelf = aShelf();
    const enough = new AbortController();
    const reader = shelf.watch({}, enough.signal)[Symbol.asyncIterator]();
    const first = reader.next();
    for (let number = 1; number <= 3_000; number++) shelf.publish(aReport(number), empty);
    expect((await first).value.record.work).toMatchObject({ report: 2_001 });
    let last = 0;
    for (let n = 1; n < 1_000; n++) {
      const { work } = (await reader.next()).value.record;
      last = 'report' in work ? work.report : 0;
    }
    expect(last).toBe(3_000);
    enough.abort();
    expect(await reader.next()).toMatchObject({ done: true });
  });

  it('sees only the camera that was asked for', async () => {
    const shelf = aShelf();
    const enough = new AbortController();
    const reader = shelf.watch({ camera: 'cam_2' }, enough.signal)[Symbol.asyncIterator]();
    const first = reader.next();
    shelf.publish(aReport(1), empty);
    shelf.publish(aReport(2, { work: { camera: 'cam_2', report: 9 } }), empty);
    expect((await first).value.record.work).toEqual({ camera: 'cam_2', report: 9 });
    enough.abort();
  });

  it('is let go while it waits', async () => {
    const shelf = aShelf();
    const enough = new AbortController();
    const waiting = shelf.watch({}, enough.signal)[Symbol.asyncIterator]().next();
    enough.abort();
    expect(await waiting).toMatchObject({ done: true });
  });
});
