import type { PeerId } from '@shoal/protocol';

/** Where a camera was is kept for at most this long after it has moved, ms: a source that gives its picture to one at a time must be let go. */
const longestMs = 10_000;

/**
 * Places that cameras have moved from, which go on until the new one runs: to load a model and to open a source takes seconds in which nothing would be
 * seen. For these seconds both report, which does no harm: a result is kept by device and number.
 */
export class HandOvers {
  readonly #kept = new Map<string, { readonly from: PeerId; readonly untilMs: number }>();

  /** @returns where it was kept until now, which is one too many. */
  keep(cameraId: string, from: PeerId, nowMs: number): PeerId | undefined {
    const before = this.#kept.get(cameraId)?.from;
    this.#kept.set(cameraId, { from, untilMs: nowMs + longestMs });
    return before === from ? undefined : before;
  }

  isKept(cameraId: string, device: PeerId): boolean {
    return this.#kept.get(cameraId)?.from === device;
  }

  /** It is over for the camera. @returns where it may be taken off. */
  end(cameraId: string): PeerId | undefined {
    const kept = this.#kept.get(cameraId);
    this.#kept.delete(cameraId);
    return kept?.from;
  }

  /** Cameras for which it has taken too long. */
  overdue(nowMs: number): readonly string[] {
    return [...this.#kept].filter(([, { untilMs }]) => untilMs <= nowMs).map(([cameraId]) => cameraId);
  }
}
