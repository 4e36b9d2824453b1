import { VirtualClock } from '@shoal/protocol/testing';
import { expect, it } from 'vitest';
import { Turnstile } from '../../src/broker/turnstile.ts';

function aTurnstile(perTurn: number) {
  const clock = new VirtualClock();
  const turnstile = new Turnstile(clock, perTurn);
  const through: number[] = [];
  const enter = (from: number, to: number) => {
    for (let each = from; each <= to; each++) turnstile.enter(() => through.push(each));
  };
  return { clock, through, enter };
}

it('lets so many through at once, the others turn by turn in the order in which they came', async () => {
  const { clock, through, enter } = aTurnstile(2);
  enter(1, 3);
  expect(through).toEqual([1, 2]);
  expect(clock.pending()).toHaveLength(1);
  enter(4, 5);
  await clock.advance(0);
  expect(through).toEqual([1, 2, 3, 4, 5]);
  expect(clock.pending()).toEqual([]);
});

it('lets no more through in one turn, and nobody before who waits, whoever comes meanwhile', () => {
  const turns: (() => void)[] = [];
  const clock = new VirtualClock();
  clock.soon = (_name: string, callback: () => void) => void turns.push(callback);
  const turnstile = new Turnstile(clock, 2);
  const through: number[] = [];
  const turn = () => {
    for (const callback of turns.splice(0)) callback();
  };
  const enter = (each: number) =>
    turnstile.enter(() => {
      through.push(each);
      // The third brings another.
      if (each === 3) enter(5);
    });
  for (let each = 1; each <= 4; each++) enter(each);
  expect(through).toEqual([1, 2]);
  turn();
  expect(through).toEqual([1, 2, 3, 4]);
  enter(6);
  turn();
  expect(through).toEqual([1, 2, 3, 4, 5, 6]);
  enter(7);
  expect(through).toHaveLength(6);
  turn();
  expect(through).toHaveLength(7);
  enter(8);
  expect(through).toHaveLength(8);
  enter(9);
  expect(through).toHaveLength(8);
  turn();
  turn();
  expect(through).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(turns).toEqual([]);
});
