import { describe, expect, it } from 'vitest';
import { LinkWatch } from '../../src/registry/link-watch.ts';

describe('what is learned of a link', () => {
  it('is nothing before anything was exchanged', () => {
    const { rttMs, bytesPerMs } = new LinkWatch();
    expect([rttMs, bytesPerMs]).toEqual([undefined, undefined]);
  });

  it('is the round trip of offers that nothing goes along with, whatever some of them wait for', () => {
    const link = new LinkWatch();
    for (let n = 0; n < 30; n++) link.answered(0, n % 3 === 0 ? 40 : 400, false);
    expect(link.rttMs).toBe(40);
    for (let n = 0; n < 32; n++) link.answered(0, 90, false);
    expect(link.rttMs).toBe(90);
  });

  it('is not the round trip of one that was quick by chance, once there are many', () => {
    const link = new LinkWatch();
    for (const tookMs of [1, ...Array(31).fill(50)]) link.answered(0, tookMs, false);
    expect(link.rttMs).toBe(50);
  });

  it('is how many bytes it carries, from those that go along with an offer, the round trip left out', () => {
    const link = new LinkWatch();
    link.answered(100_000, 140, true);
    expect(link.bytesPerMs).toBeCloseTo(714, 0);
    link.answered(0, 40, true);
    for (let n = 0; n < 30; n++) link.answered(100_000, 140, true);
    expect(link.bytesPerMs).toBeCloseTo(1_000, 0);
    expect(link.rttMs).toBe(40);
  });

  it('is nothing from bytes that shared the link, or were there in no time', () => {
    const link = new LinkWatch();
    link.answered(100_000, 5_000, false);
    link.answered(100_000, 0.5, true);
    link.transferred(0, 100);
    expect(link.bytesPerMs).toBeUndefined();
  });
});
