import { line } from './readings.ts';

export interface Attempts {
  /** Runs a probe; what it throws is kept as a failure and `otherwise` takes its place, unless everything was stopped. */
  readonly attempt: <T>(subject: string, probe: () => Promise<T>, otherwise: NoInfer<T>) => Promise<T>;
  readonly failed: readonly { readonly subject: string; readonly reason: string }[];
}

export function attempts(signal: AbortSignal): Attempts {
  const failed: { subject: string; reason: string }[] = [];
  return {
    failed,
    async attempt(subject, probe, otherwise) {
      try {
        return await probe();
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        failed.push({ subject, reason: line(thrown instanceof Error ? thrown.message : String(thrown)) ?? 'failed' });
        return otherwise;
      }
    },
  };
}
