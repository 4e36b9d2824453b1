import type { CapabilityInit } from '@shoal/protocol';

/** The hardware under an agent, as the agent needs it. On a device it is read through a `SystemReader`; a simulated one is data. */
export interface Machine {
  /** What the machine has. Runtimes, decoders and task slots are tried out elsewhere. */
  capability(signal: AbortSignal): Promise<CapabilityInit>;
  /** How it is right now. */
  condition(signal: AbortSignal): Promise<Condition>;
  /**
   * Starts to measure energy. The returned function gives the energy used since then, mJ, of everything on the measured rails; `undefined` when
   * nothing here measures it.
   */
  measureEnergy(signal: AbortSignal): Promise<() => Promise<number | undefined>>;
  /** Memory that this process holds, bytes; `undefined` where nothing tells. */
  residentBytes(): Promise<number | undefined>;
}

export interface Condition {
  /** 0..100; `undefined` without a battery, or when it does not tell. */
  readonly batteryPct?: number;
  readonly charging?: boolean;
  readonly temperatureC?: number;
  readonly throttled?: boolean;
  /** Load of all cores since the last look, 0..1. */
  readonly cpuLoad: number;
  readonly memoryAvailableBytes: number;
}

/** The last condition that was read, for decisions that cannot wait for a file. */
export class ConditionWatch {
  readonly #machine: Machine;
  #latest: Condition | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get latest(): Condition | undefined {
    return this.#latest;
  }

  async read(signal: AbortSignal): Promise<Condition> {
    this.#latest = await this.#machine.condition(signal);
    return this.#latest;
  }
}
