import { VirtualClock } from '@shoal/protocol/testing';
import { describe, expect, it } from 'vitest';
import { CrashableClock, WallClock } from '../../src/world/crashable-clock.ts';

describe('a wall clock that drifts', () => {
  it('goes too fast from then on, keeps what it is off by, and leaves the time between two moments alone', async () => {
    const real = new VirtualClock();
    const wall = new WallClock();
    const clock = new CrashableClock(real, wall);
    await real.advance(10_000);
    wall.drift(0.05, real.monotonicMs());
    await real.advance(100_000);
    expect(clock.nowMs() - real.nowMs()).toBe(5_000);
    wall.drift(-0.05, real.monotonicMs());
    await real.advance(20_000);
    expect(clock.nowMs() - real.nowMs()).toBe(4_000);
    expect(clock.monotonicMs()).toBe(130_000);
  });
});
