import type { Strategy } from '../strategy.ts';
import { devicesOf, least, only } from './by-device.ts';

export const leastLoaded: Strategy = {
  name: 'least-loaded',
  summary: 'the device with the fewest attempts for its slots: what most dispatchers do, blind to speed and energy',
  because: 'it had the least in hand',
  scores(candidates) {
    const load = least(devicesOf(candidates), ({ running, slots, cameraLoad }) => running / slots + cameraLoad);
    return only(load, candidates);
  },
};
