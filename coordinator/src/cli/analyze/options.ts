import type { AnalyzeTask } from './submit.ts';

export interface AnalyzeOptions extends AnalyzeTask {
  /** Folder for annotated pictures and proofs; none: nothing is written. */
  readonly out?: string;
  /** Pictures taken from each second of a video. */
  readonly fps: number;
}
