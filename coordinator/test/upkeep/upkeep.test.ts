import { describe, expect, it } from 'vitest';
import { anEndedTask, aSpec } from '../support/builders.ts';
import { aWorld } from '../support/world.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe('upkeep', () => {
  it('keeps as many ended tasks as was asked for, however many there were', async () => {
    const world = await aWorld({
      config: {
        retention: {
          endedTasks: 100,
          endedTaskAgeMs: dayMs,
          cameraResults: 10,
          cameraResultAgeMs: dayMs,
          events: 1_000,
          eventAgeMs: dayMs,
        },
      },
    });
    for (let n = 1; n <= 1_700; n++) world.disk.tasks.set(`tsk_${String(n).padStart(6, '0')}`, anEndedTask(n));
    await world.clock.advance(30_000);
    expect(world.disk.tasks.size).toBe(100);
    expect(world.disk.tasks.has('tsk_001700')).toBe(true);
    await world.clock.advance(dayMs + 30_000);
    expect(world.disk.tasks.size).toBe(0);
  });

  it('goes on after a disk that refused, and leaves live tasks alone', async () => {
    const world = await aWorld({
      config: {
        retention: {
          endedTasks: 0,
          endedTaskAgeMs: dayMs,
          cameraResults: 10,
          cameraResultAgeMs: dayMs,
          events: 1_000,
          eventAgeMs: dayMs,
        },
      },
    });
    const live = await world.clock.until(world.coordinator.tasks.submit(aSpec({ deadlineMs: 3_600_000 })));
    world.disk.tasks.set('tsk_000001', anEndedTask(1));
    world.disk.failure = new Error('the disk is out');
    await world.clock.advance(30_000);
    expect(world.disk.tasks.size).toBe(2);
    world.disk.failure = undefined;
    await world.clock.advance(30_000);
    expect([...world.disk.tasks.keys()]).toEqual([live.id]);
  });

  it('does not take a year that the clock was set forward for age, and takes an hour to believe it', async () => {
    const world = await aWorld({
      config: {
        retention: {
          endedTasks: 10,
          endedTaskAgeMs: dayMs,
          cameraResults: 10,
          cameraResultAgeMs: dayMs,
          events: 1_000,
          eventAgeMs: dayMs,
        },
      },
    });
    await world.clock.advance(hourMs);
    world.disk.tasks.set('tsk_000001', { ...anEndedTask(1), endedAtMs: world.clock.nowMs() });
    world.clock.jump(365 * dayMs);
    await world.clock.advance(hourMs - 30_000);
    expect(world.disk.tasks.size).toBe(1);
    // Set back in time: nothing is lost.
    world.clock.jump(-365 * dayMs);
    await world.clock.advance(hourMs + 30_000);
    expect(world.disk.tasks.size).toBe(1);
    await world.clock.advance(dayMs);
    expect(world.disk.tasks.size).toBe(0);
  });
});
