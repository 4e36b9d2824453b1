import type { Condition, Machine } from '@shoal/agent';
import type { CapabilityInit } from '@shoal/protocol';

export interface MachineSpec {
  readonly name: string;
  readonly cores: number;
  /** One inference of any model, ms. */
  readonly inferenceMs: number;
  readonly loadMs: number;
  /** 0..100; `undefined` for a machine on mains. */
  readonly batteryPct?: number;
  /** A model that is not in its catalogue. */
  readonly lacks?: string;
}

/** An inference of a machine that hangs, ms: longer than anybody waits for it. */
const stalledMs = 3_600_000;

/** A machine that is data. */
export class SimulatedMachine implements Machine {
  readonly spec: MachineSpec;
  /** Percent; `undefined` for a machine on mains. */
  batteryPct: number | undefined;
  /** Its processor does not come to an end any more, while the agent goes on talking. */
  stalled = false;

  constructor(spec: MachineSpec) {
    this.spec = spec;
    this.batteryPct = spec.batteryPct;
  }

  get inferenceMs(): number {
    return this.stalled ? stalledMs : this.spec.inferenceMs;
  }

  async capability(): Promise<CapabilityInit> {
    const { name, cores, batteryPct } = this.spec;
    return {
      hostName: name,
      platform: 'simulated',
      arch: 'simulated',
      board: name,
      cores,
      memoryBytes: 4 << 30,
      powerSource: batteryPct === undefined ? 'mains' : 'battery',
      hasBattery: batteryPct !== undefined,
    };
  }

  async condition(): Promise<Condition> {
    const { batteryPct } = this;
    return {
      cpuLoad: 0,
      memoryAvailableBytes: 2 << 30,
      ...(batteryPct !== undefined && { batteryPct, charging: false }),
    };
  }

  async measureEnergy(): Promise<() => Promise<number | undefined>> {
    return async () => undefined;
  }

  async residentBytes(): Promise<number | undefined> {
    return undefined;
  }
}
