import { describe, expect, it } from 'vitest';
import { Phases } from '../../src/webhooks/phases.ts';
import { anEvent } from '../support/builders.ts';
import { aStart } from './a-book.ts';

describe('what is new about an event', () => {
  it('is its start, what changes, and its end', () => {
    const phases = new Phases();
    expect(phases.of(aStart(1))).toEqual(['event.started']);
    expect(phases.of(aStart(1, { lastResult: 'res_2' }))).toEqual(['event.updated']);
    expect(phases.of(anEvent(1, { lastResult: 'res_1' }))).toEqual(['event.ended']);
  });

  it('is a change when it started before the coordinator did', () => {
    expect(new Phases().of(aStart(1, { lastResult: 'res_2' }))).toEqual(['event.updated']);
    expect(new Phases().of(anEvent(1))).toEqual(['event.ended']);
  });

  it('is remembered of so many that go on, and no more', () => {
    const phases = new Phases();
    for (let number = 1; number <= 20_001; number++) phases.of(aStart(number));
    expect(phases.of(aStart(20_001))).toEqual([]);
    expect(phases.of(aStart(1))).toEqual(['event.started']);
  });
});
