import type { Paint } from '@shoal/coordinator';

/** Where a command writes, and what it needs of the world. */
export interface Terminal {
  readonly output: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown };
  readonly errors: Terminal['output'];
  readonly paint: Paint;
  readonly nowMs: () => number;
  /** Processor time of this process so far, ms. */
  readonly cpuMs: () => number;
  readFile(path: string): Promise<string>;
  /** What was asked for ran, and found that something is not as it should be. */
  fail(): void;
  writeFile(path: string, text: string): Promise<void>;
  /** Which code this is, for whoever wants to run the same. */
  commit(): Promise<string>;
}
