import type { EventCount } from '../domain/index.ts';

/** Labels of one camera that are counted apart, and cameras: devices choose labels, and every pair is a series in somebody's Prometheus. */
const mostLabels = 20;
const mostCameras = 5_000;
/** What further labels are counted under. */
const others = 'other';

/** How many stays began before each camera, by label. */
export class EventTally {
  readonly #counts = new Map<string, Map<string, number>>();

  add(camera: string, label: string): void {
    const counts = this.#countsOf(camera);
    const under = counts.has(label) || counts.size < mostLabels ? label : others;
    counts.set(under, (counts.get(under) ?? 0) + 1);
  }

  forget(camera: string): void {
    this.#counts.delete(camera);
  }

  of(camera: string): readonly EventCount[] {
    return Array.from(this.#counts.get(camera) ?? [], ([label, count]) => ({ label, count }));
  }

  #countsOf(camera: string): Map<string, number> {
    const known = this.#counts.get(camera);
    if (known) return known;
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined && this.#counts.size >= mostCameras) this.#counts.delete(oldest);
    const counts = new Map<string, number>();
    this.#counts.set(camera, counts);
    return counts;
  }
}
