import type { ErrorCode } from '../errors/index.ts';

/** What the fuzzer knows of the bytes, so that it can change what they say and not only how they look. */
export type FuzzForm = 'bytes' | 'protobuf' | 'json' | 'text';

/**
 * A door for bytes from outside: one line of the table `test/fuzz/targets.ts` of a workspace. `test/fuzz` gives it random and changed bytes, and
 * takes nothing from it but success or a refusal.
 */
export interface FuzzTarget {
  /** Also the name of the files that keep its failures. */
  readonly name: string;
  readonly form: FuzzForm;
  /** Genuine inputs. Each of them must be taken. */
  readonly samples: readonly Uint8Array[];
  /** The codes it may refuse with; whatever else is thrown is a failure. */
  readonly refuses: readonly ErrorCode[];
  /** About how many times as long as a small decoder it takes, 1 by default: it gets so many times fewer inputs. */
  readonly cost?: number;
  /**
   * Takes the bytes or throws a refusal. What was taken and should not have been is thrown as an `Error` that says so. The outcome depends on the
   * bytes alone, so that each input can be tried again by itself.
   */
  take(bytes: Uint8Array): void | Promise<void>;
}
