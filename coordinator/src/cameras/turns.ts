import { byRank, type LiveCamera } from './live-camera.ts';

/** Cameras that wait for a device are tried so many at a time: the first in rank at each, the others in turns. */
const first = 8;
const others = 8;

/** Where hundreds wait, to try each of them whenever a device reports would take all of the coordinator's time. */
export class Turns {
  #next = 0;

  /** Those of the waiting cameras whose turn it is, the most important first. */
  of(waiting: readonly LiveCamera[]): readonly LiveCamera[] {
    const inRank = waiting.toSorted(byRank);
    const rest = inRank.splice(first);
    if (rest.length <= others) return [...inRank, ...rest];
    const from = this.#next % rest.length;
    this.#next = from + others;
    return [...inRank, ...[...rest, ...rest].slice(from, from + others)];
  }
}
