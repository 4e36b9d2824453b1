import type { Dice } from '../world/index.ts';
import type { Life } from './life.ts';

/** Something that may happen in a life. */
export interface Operation {
  readonly name: string;
  /** How often, compared to the others. */
  readonly weight: number;
  readonly kind: 'work' | 'fault';
  /**
   * @param dice decide everything about it, so that it is the same when others before it are left out
   * @returns false when it could not happen just then, and nothing has changed
   */
  run(life: Life, dice: Dice): Promise<boolean>;
}
