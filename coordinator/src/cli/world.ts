import type { Clock, Random } from '@shoal/protocol';
import type { OpenCoordinator } from './coordinator/options.ts';

/** The process as the commands see it; `main.ts` makes the real one. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
  readonly random: Random;
  /** Fires at the first SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal;
  readonly openCoordinator: OpenCoordinator;
  /** Asks the person at the terminal and shows nothing of the answer. Left out: nobody is there to be asked. */
  readonly askSecret?: (question: string) => Promise<string>;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}
