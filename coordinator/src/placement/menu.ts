import type { Choice } from './choice.ts';

/** What may be run for work, and what is the same wherever it is run. */
export interface Menu {
  readonly choices: readonly Choice[];
  /** The best that any of them reaches, 0..1. */
  readonly bestAccuracy: number;
  /** The same for menus with the same choices. */
  readonly key: string;
}

/** Work of one sort shares its choices: they are read once. */
const menus = new WeakMap<readonly Choice[], Menu>();

export function menuOf(choices: readonly Choice[]): Menu {
  let menu = menus.get(choices);
  if (!menu) {
    const bestAccuracy = choices.reduce((best, { accuracy }) => Math.max(best, accuracy), 0);
    menu = { choices, bestAccuracy, key: choices.map(({ key, accuracy }) => `${key} ${accuracy}`).join(' ') };
    menus.set(choices, menu);
  }
  return menu;
}
