import type { Strategy } from '../strategy.ts';
import { devicesOf, only } from './by-device.ts';

export const random: Strategy = {
  name: 'random',
  summary: 'any device: the yardstick that every other strategy must beat',
  because: 'it was drawn by lot',
  scores(candidates, { random }) {
    const devices = devicesOf(candidates);
    return only(devices[Math.floor(random.next() * devices.length)], candidates);
  },
};
