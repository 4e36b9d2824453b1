import type { Condition, Machine } from '@shoal/agent';
import type { CapabilityInit, Clock } from '@shoal/protocol';
import { type BatterySpec, SimulatedBattery } from './simulated-battery.ts';

export interface MachineSpec {
  readonly name: string;
  readonly cores: number;
  /** One inference, ms: of any model, or by its name and file. */
  readonly inferenceMs: number | ((model: string, variant: string) => number);
  /** Inferences at the same time; left out: one. */
  readonly slots?: number;
  /** What its models run on, such as `gpu`; left out: `cpu`. */
  readonly provider?: string;
  /** Drawn on the mains while a model runs; left out: nobody measures it. */
  readonly workWatts?: number;
  /** Whether a file lies on its disk, and is measured therefore; left out: none does, each is fetched when it is needed. */
  readonly holds?: (model: string, variant: string) => boolean;
  readonly loadMs: number;
  /** Left out: on mains. */
  readonly battery?: BatterySpec;
  /** A model that is not in its catalogue. */
  readonly lacks?: string;
}

/** From what is true to what the sensors say. */
export type Reading = (condition: Condition) => Condition;

/** An inference of a machine that hangs, ms: longer than anybody waits for it. */
const stalledMs = 3_600_000;
const usualTemperatureC = 45;

/** A machine that is data. */
export class SimulatedMachine implements Machine {
  readonly spec: MachineSpec;
  readonly battery: SimulatedBattery | undefined;
  /** Its processor does not come to an end any more, while the agent goes on talking. */
  stalled = false;
  /** So many times slower than usual, as a hot processor is. */
  slowdown = 1;
  temperatureC = usualTemperatureC;
  /** What every sensor says instead of what is true: a number that makes no sense. */
  sensorsSay: number | undefined;

  readonly #reading: Reading;
  #fromMainsJ = 0;

  /** @param reading what is read of a condition; a test hands in one that lies */
  constructor(spec: MachineSpec, clock: Clock, reading: Reading = (condition) => condition) {
    this.spec = spec;
    this.#reading = reading;
    this.battery = spec.battery && new SimulatedBattery(spec.battery, clock);
  }

  /** One inference begins: how long it takes, ms. Its energy is drawn. */
  infer(model: string, variant: string): number {
    const { inferenceMs, workWatts = 0 } = this.spec;
    const ms = (typeof inferenceMs === 'number' ? inferenceMs : inferenceMs(model, variant)) * this.slowdown;
    this.battery?.work(ms);
    this.#fromMainsJ += (workWatts * ms) / 1_000;
    return this.stalled ? stalledMs : ms;
  }

  /** As it is after a person has seen to it; only the battery is as full as it is. */
  mend(): void {
    this.stalled = false;
    this.slowdown = 1;
    this.temperatureC = usualTemperatureC;
    this.sensorsSay = undefined;
  }

  async capability(): Promise<CapabilityInit> {
    const { name, cores, battery } = this.spec;
    return {
      hostName: name,
      platform: 'simulated',
      arch: 'simulated',
      board: name,
      cores,
      memoryBytes: 4 * 2 ** 30,
      powerSource: battery ? 'battery' : 'mains',
      hasBattery: battery !== undefined,
      ...(battery && { batteryWh: battery.wattHours, idleWatts: battery.idleWatts }),
    };
  }

  async condition(): Promise<Condition> {
    const said = this.sensorsSay;
    return this.#reading({
      cpuLoad: said ?? 0,
      memoryAvailableBytes: said ?? 2 * 2 ** 30,
      temperatureC: said ?? this.temperatureC,
      throttled: this.slowdown > 1,
      ...(this.battery && { batteryPct: said ?? this.battery.levelPct, charging: this.battery.isCharging }),
    });
  }

  async measureEnergy(): Promise<() => Promise<number | undefined>> {
    const beforeJ = this.#workedJ ?? 0;
    return async () => this.#workedJ && (this.#workedJ - beforeJ) * 1_000;
  }

  /** `undefined`: nobody measures it. */
  get #workedJ(): number | undefined {
    return this.battery?.workedJ ?? (this.spec.workWatts === undefined ? undefined : this.#fromMainsJ);
  }

  async residentBytes(): Promise<number | undefined> {
    return undefined;
  }
}
