import type { Strategy } from '../strategy.ts';
import { devicesOf, least, only } from './by-device.ts';

export const roundRobin: Strategy = {
  name: 'round-robin',
  summary: 'each device in its turn: for a fleet of equal devices and equal work',
  because: 'it was its turn',
  scores: (candidates) =>
    only(
      least(devicesOf(candidates), ({ placed }) => placed),
      candidates,
    ),
};
