import { execFile } from 'node:child_process';
import { type Clock, every, type Logger } from '@shoal/protocol';

/** Tells the service manager how the agent is. Does nothing where none listens. */
export interface ServiceNotice {
  /** It runs, and goes on saying so as often as is asked of it: one that no longer does is ended and started again. */
  ready(status: string): Promise<void>;
  status(status: string): void;
  stopping(): void;
}

/**
 * Speaks to systemd (sd_notify(3)) through its own program systemd-notify, which waits until it was heard: Node has no datagram sockets of the kind that
 * systemd listens on.
 * @param environment where systemd says whether it listens: `NOTIFY_SOCKET`, `WATCHDOG_USEC`
 */
export function serviceNotice(deps: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): ServiceNotice {
  const { clock, logger, environment } = deps;
  if (!environment['NOTIFY_SOCKET']) return { ready: async () => {}, status: () => {}, stopping: () => {} };
  const tell = (...words: string[]) =>
    new Promise<void>((resolve) => {
      execFile('systemd-notify', words, { timeout: 10_000, env: { ...environment } }, (error) => {
        if (error) logger.warn('systemd was not told', { words: words.join(' '), error: error.message });
        resolve();
      });
    });
  // A third of what it may take, so that one that is lost does not end the agent.
  const everyMs = Number(environment['WATCHDOG_USEC'] ?? 0) / 1000 / 3;
  let cancel = () => {};
  return {
    async ready(status) {
      await tell('READY=1', `STATUS=${status}`);
      if (everyMs > 0) cancel = every(clock, 'service/watchdog', everyMs, () => void tell('WATCHDOG=1'));
    },
    status: (status) => void tell(`STATUS=${status}`),
    stopping() {
      cancel();
      void tell('STOPPING=1');
    },
  };
}
