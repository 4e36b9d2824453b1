import type { Clock } from '@shoal/protocol';

export interface BatterySpec {
  /** At the start, 0..100. */
  readonly levelPct: number;
  readonly wattHours: number;
  /** Drawn whether it works or not. */
  readonly idleWatts: number;
  /** Drawn besides while a model runs. */
  readonly workWatts: number;
  /** When it is charged by itself, as by the sun: ms since the world began. */
  readonly charging: { readonly fromMs: number; readonly toMs: number; readonly watts: number };
}

/** A battery that work and time draw on, and that is charged in its window or when somebody plugs it in. */
export class SimulatedBattery {
  readonly #spec: BatterySpec;
  readonly #clock: Clock;
  #storedJ: number;
  #lastMs = 0;
  #pluggedIn = false;
  #workedJ = 0;

  constructor(spec: BatterySpec, clock: Clock) {
    this.#spec = spec;
    this.#clock = clock;
    this.#storedJ = (spec.levelPct / 100) * this.#capacityJ;
  }

  /** 0..100 */
  get levelPct(): number {
    this.#passTime();
    return (this.#storedJ / this.#capacityJ) * 100;
  }

  set levelPct(levelPct: number) {
    this.#passTime();
    this.#storedJ = (levelPct / 100) * this.#capacityJ;
  }

  /** By inferences, since the world began. */
  get workedJ(): number {
    return this.#workedJ;
  }

  get isCharging(): boolean {
    const { fromMs, toMs } = this.#spec.charging;
    const nowMs = this.#clock.monotonicMs();
    return this.#pluggedIn || (nowMs >= fromMs && nowMs < toMs);
  }

  get pluggedIn(): boolean {
    return this.#pluggedIn;
  }

  set pluggedIn(pluggedIn: boolean) {
    this.#passTime();
    this.#pluggedIn = pluggedIn;
  }

  work(ms: number): void {
    const drawnJ = (this.#spec.workWatts * ms) / 1_000;
    this.#workedJ += drawnJ;
    this.#store(-drawnJ);
  }

  get #capacityJ(): number {
    return this.#spec.wattHours * 3_600;
  }

  #passTime(): void {
    const { idleWatts, charging } = this.#spec;
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = this.#lastMs;
    this.#lastMs = nowMs;
    const chargedMs = this.#pluggedIn
      ? nowMs - sinceMs
      : Math.max(0, Math.min(nowMs, charging.toMs) - Math.max(sinceMs, charging.fromMs));
    this.#store((charging.watts * chargedMs - idleWatts * (nowMs - sinceMs)) / 1_000);
  }

  #store(joules: number): void {
    this.#storedJ = Math.min(this.#capacityJ, Math.max(0, this.#storedJ + joules));
  }
}
