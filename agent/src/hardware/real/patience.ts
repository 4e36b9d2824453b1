/** Asks for something at a path; `undefined` when that fails or takes too long. */
export type Patience = <T>(path: string, ask: () => Promise<T>) => Promise<T | undefined>;

/**
 * A driver can hold a read for ever (a sensor that is off, a dead bus), and such a read keeps one of libuv's four threads. A
 * path is therefore not asked again before its last answer came, or telemetry would use up all threads and stop every file
 * operation of the process.
 */
export function patience(timeoutMs: number): Patience {
  const stuck = new Set<string>();
  return (path, ask) => {
    if (stuck.has(path)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        stuck.add(path);
        resolve(undefined);
      }, timeoutMs);
      const finish = () => {
        clearTimeout(timer);
        stuck.delete(path);
      };
      ask().then(
        (answer) => {
          finish();
          resolve(answer);
        },
        () => {
          finish();
          resolve(undefined);
        },
      );
    });
  };
}
