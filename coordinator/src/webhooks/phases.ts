import type { EventRecord, WebhookType } from '../domain/index.ts';

/** Events going on whose start is remembered; beyond that, an end may be told with a start that was told before. */
const mostGoingOn = 20_000;

/** What is new about an event, each time that it is told of. */
export class Phases {
  readonly #goingOn = new Set<string>();

  of({ id, firstResult, lastResult, endedAtMs }: EventRecord): readonly WebhookType[] {
    const told = this.#goingOn.has(id);
    const starts = !told && firstResult === lastResult;
    const repeats = told && firstResult === lastResult;
    if (endedAtMs !== undefined) {
      this.#goingOn.delete(id);
      return starts ? ['event.started', 'event.ended'] : ['event.ended'];
    }
    this.#remember(id);
    if (starts) return ['event.started'];
    return repeats ? [] : ['event.updated'];
  }

  #remember(id: string): void {
    const [oldest] = this.#goingOn;
    if (oldest !== undefined && this.#goingOn.size >= mostGoingOn) this.#goingOn.delete(oldest);
    this.#goingOn.add(id);
  }
}
