import { ShoalError } from '@shoal/protocol';
import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import type { Task } from '../../src/domain/index.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import type { StoreWrite } from '../../src/store/store-write.ts';
import { StoredSequences } from '../../src/store/stored-sequences.ts';

describe('changes that are deferred', () => {
  it('do not undo a newer commit of the same record when their own write failed', async () => {
    const { clock, group, disk } = aGroup();
    disk.failing = true;
    group.defer(taskIs('running'));
    await clock.advance(51);
    // The disk has room again while the failed write is still under way, and the task ends.
    disk.failing = false;
    const ended = group.commit([taskIs('succeeded')]);
    disk.failWriteUnderWay();
    await clock.until(ended);
    await clock.advance(1_000);
    expect(disk.written).toEqual(['succeeded']);
  });

  it('are written again when their own write failed and nothing newer came', async () => {
    const { clock, group, disk } = aGroup();
    disk.failing = true;
    group.defer(taskIs('running'));
    await clock.advance(51);
    disk.failing = false;
    disk.failWriteUnderWay();
    await clock.advance(1_000);
    expect(disk.written).toEqual(['running']);
  });

  it('are all written, however many came at once and nothing after them', async () => {
    const { clock, group, disk } = aGroup();
    for (let number = 0; number < 2_000; number++) group.defer(taskIs('running', `tsk_${number}`));
    await clock.advance(1_000);
    expect(disk.written).toHaveLength(2_000);
  });

  it('are all written before the store is closed', async () => {
    const { clock, group, disk } = aGroup();
    for (let number = 0; number < 2_000; number++) group.defer(taskIs('running', `tsk_${number}`));
    await clock.until(group.close());
    expect(disk.written).toHaveLength(2_000);
    await expect(group.commit([])).rejects.toMatchObject({ code: 'closed' });
  });
});

function aGroup() {
  const clock = new VirtualClock();
  const disk = {
    /** The next write stays under way until it is made to fail. */
    failing: false,
    failWriteUnderWay: () => {},
    written: [] as string[],
  };
  const write = async (writes: readonly StoreWrite[]) => {
    if (disk.failing) {
      await new Promise<void>((_, reject) => {
        disk.failWriteUnderWay = () => reject(new ShoalError('io.disk-full', 'the disk is full'));
      });
    }
    for (const each of writes) if (each.kind === 'task') disk.written.push(each.task.state);
  };
  const sequences = new StoredSequences({ next: 1, received: new Map() }, async () => {});
  return { clock, disk, group: new GroupCommit({ clock, sequences, write }) };
}

function taskIs(state: Task['state'], id = 'tsk_1') {
  const spec = { pipeline: 'noop', parameters: {}, deadlineMs: 1_000, labels: {}, maxAttempts: 1 };
  return { kind: 'task', task: { id, spec, state, createdAtMs: 0, expiresAtMs: 1_000, attempts: [] } } as const;
}
