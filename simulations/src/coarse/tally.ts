/** What came of the work of one run. */
export class Tally {
  submitted = 0;
  placements = 0;
  finished = 0;
  late = 0;
  /** Ended by their deadlines before they were begun. */
  expired = 0;
  /** Attempts that were lost with their devices; their work was placed anew. */
  lost = 0;
  energyJ = 0;
  #accuracy = 0;
  readonly latenciesMs: number[] = [];

  done(task: { latencyMs: number; late: boolean; accuracy: number; energyJ: number }): void {
    this.finished += 1;
    if (task.late) this.late += 1;
    this.energyJ += task.energyJ;
    this.#accuracy += task.accuracy;
    this.latenciesMs.push(task.latencyMs);
  }

  /** Mean of the accuracy of what was run, 0..1. */
  get accuracy(): number {
    return this.finished === 0 ? 0 : this.#accuracy / this.finished;
  }

  /** Part of what was submitted that was late or never done, 0..1. */
  get missed(): number {
    return this.submitted === 0 ? 0 : (this.late + this.expired) / this.submitted;
  }

  get joulesPerTask(): number {
    return this.finished === 0 ? 0 : this.energyJ / this.finished;
  }
}
