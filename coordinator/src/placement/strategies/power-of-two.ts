import type { Strategy } from '../strategy.ts';
import { devicesOf } from './by-device.ts';

export const powerOfTwo: Strategy = {
  name: 'power-of-two',
  summary: 'the less busy of two devices drawn at random: nearly as good as asking all of a very large fleet of equals',
  because: 'it had less in hand than another, both drawn by lot',
  scores(candidates, { random }) {
    const devices = devicesOf(candidates);
    const draw = () => devices[Math.floor(random.next() * devices.length)];
    const drawn = new Set([draw(), draw()]);
    return candidates.map(({ device, queueMs }) => (drawn.has(device) ? queueMs : Number.POSITIVE_INFINITY));
  },
};
