import type { Change } from './store.ts';

/** What an adapter writes: changes, and the sequences that become durable with them. */
export type StoreWrite =
  | Change
  | { readonly kind: 'sequences-reserved'; readonly next: number }
  | { readonly kind: 'sequence-received'; readonly sender: string; readonly sequence: number };
