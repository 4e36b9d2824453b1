import { describe, expect, it } from 'vitest';
import type { TaskSpec } from '../../src/domain/index.ts';
import { LiveTask } from '../../src/tasks/live-task.ts';
import { WaitingLine } from '../../src/tasks/waiting-line.ts';
import { aPlacement, aSpec, aTask } from '../support/builders.ts';

const aLive = (id: string, change: Partial<TaskSpec> = {}, tried = false) =>
  new LiveTask(
    aTask({
      id,
      spec: aSpec(change),
      attempts: tried ? [{ id: 'att', device: 'd', state: 'failed', startedAtMs: 0, placement: aPlacement('d') }] : [],
    }),
    { pipeline: { name: 'noop', takesInput: false, forCameras: false }, choices: [] },
    0,
  );

describe('the waiting line', () => {
  it('keeps tasks in the order in which they came, those that were tried before the others', () => {
    const line = new WaitingLine();
    const tasks = [aLive('1'), aLive('2'), aLive('3', {}, true), aLive('4')];
    for (const task of tasks) line.add(task);
    const [name = ''] = line.classes();
    expect(line.first(name, 3).map(({ id }) => id)).toEqual(['3', '1', '2']);
    line.add(tasks[0] as LiveTask);
    expect(line.size).toBe(4);
  });

  it('keeps classes apart, the one that waits longest first, and forgets those that are empty', () => {
    const line = new WaitingLine();
    const late = aLive('2', { labels: { a: '1', b: '2' } });
    const early = aLive('1', { device: 'dev_x' });
    const same = aLive('3', { labels: { b: '2', a: '1' } });
    for (const task of [late, early, same]) line.add(task);
    expect(line.classes()).toEqual([early.className, late.className]);
    expect(same.className).toBe(late.className);
    line.remove(early);
    line.remove(early);
    expect(line.classes()).toEqual([late.className]);
    expect(line.size).toBe(2);
    expect(line.first(early.className, 4)).toEqual([]);
  });
});
