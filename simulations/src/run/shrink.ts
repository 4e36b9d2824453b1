import type { Script, Step } from './script.ts';

/** Whether the life still breaks the promise. */
type Breaks = (script: Script) => Promise<boolean>;

/**
 * Leaves out of a life what is not needed to break its promise: halves first, then ever smaller pieces, until nothing can be left out any more or so
 * many lives were tried (ddmin; Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).
 */
export async function shrink(script: Script, breaks: Breaks, mostTries = 400): Promise<Script> {
  let { steps } = script;
  let pieces = 2;
  for (let tries = 0; steps.length > 0 && tries < mostTries; ) {
    const size = Math.ceil(steps.length / pieces);
    let smaller: readonly Step[] | undefined;
    for (let from = 0; from < steps.length && smaller === undefined && tries < mostTries; from += size) {
      const rest = [...steps.slice(0, from), ...steps.slice(from + size)];
      tries += 1;
      if (await breaks({ ...script, steps: rest })) smaller = rest;
    }
    if (smaller) {
      steps = smaller;
      pieces = Math.max(2, pieces - 1);
    } else if (size === 1) break;
    else pieces = Math.min(steps.length, pieces * 2);
  }
  return { ...script, steps };
}

/** What a broken promise says without its ids and figures: two that are alike are taken for the same. */
export function sortOf(broken: string): string {
  return broken
    .replace(/\b[a-z]{3}_[a-z0-9]{20,}\b/g, '…')
    .replace(/\d+(\.\d+)?/g, '#')
    .split('\n', 1)
    .join();
}
