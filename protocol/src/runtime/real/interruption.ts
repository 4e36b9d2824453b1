import { ShoalError } from '../../errors/index.ts';
import type { Clock } from '../clock.ts';
import { systemClock } from './system-clock.ts';

interface Deps {
  /** Where signals arrive: the process. */
  readonly signals: { on(name: 'SIGINT' | 'SIGTERM', listener: (name: string) => void): unknown };
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Ends the process without waiting. */
  readonly insist: () => void;
}

const realDeps: Deps = { signals: process, clock: systemClock, insist: () => process.exit(130) };

/**
 * At Ctrl-C the terminal signals every process of a command, and npm and npx then send the same signal on to the program they run:
 * what comes so soon after the first was not a second wish.
 */
const sameWishMs = 1_000;

/** Fires at the first SIGINT or SIGTERM, which asks for a tidy end; a later one insists and does not wait for it. */
export function interruption({ signals, clock, insist }: Deps = realDeps): AbortSignal {
  const controller = new AbortController();
  let askedAtMs = 0;
  const onSignal = (name: string) => {
    if (!controller.signal.aborted) {
      askedAtMs = clock.monotonicMs();
      controller.abort(new ShoalError('aborted', `stopped by ${name}`));
    } else if (clock.monotonicMs() - askedAtMs >= sameWishMs) insist();
  };
  signals.on('SIGINT', onSignal);
  signals.on('SIGTERM', onSignal);
  return controller.signal;
}
